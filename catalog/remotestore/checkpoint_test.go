package remotestore_test

import (
	"errors"
	"path/filepath"
	"testing"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/pebblestore"
	"catalog/catalog/remotestore"
)

func TestCheckpoint(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	embedded, err := pebblestore.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { embedded.Close() })
	if _, err := embedded.Apply(t.Context(), []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		store catalog.Store
		o     *remotestore.HandlerOptions
		want  error
	}{
		"an embedded store":                {embedded, local, nil},
		"a store without files":            {memstore.New(), local, errors.ErrUnsupported},
		"an embedded store over a network": {embedded, &remotestore.HandlerOptions{}, errors.ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			where, stop := serve(t, remotestore.NewHandler(tt.store, tt.o))
			defer stop()
			client, err := remotestore.Open(t.Context(), where, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := client.Checkpoint(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	stats, err := pebblestore.Inspect(t.Context(), filepath.Join(dir, pebblestore.CheckpointName))
	if err != nil || stats.Records[catalog.KindProduct] != 1 {
		t.Errorf("the checkpoint has %+v, %v", stats, err)
	}
}
