package importer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/importer"
)

// TestOneImportOfASource: a source that is being imported is refused, any
// other is not, and what is refused leaves no trace.
func TestOneImportOfASource(t *testing.T) {
	s := open(t)
	lease, err := s.Acquire(t.Context(), importer.LeaseName(catalog.KindProduct, "erp"), "the night job", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	const feed = `{"sku":"a"}`
	erp := importer.Options{Source: "erp"}
	before := tail(t, s)
	_, err = load(t, s, erp, feed)
	var leased *catalog.LeasedError
	if !errors.As(err, &leased) || leased.Holder != "the night job" {
		t.Fatalf("the error is %v", err)
	}
	for m := range s.Metas(t.Context(), importer.ReportPrefix) {
		t.Errorf("%s is left", m.Name)
	}
	if tail(t, s) != before {
		t.Error("something is written")
	}
	mustLoad(t, s, importer.Options{Source: "erp", DryRun: true}, feed)
	mustLoad(t, s, importer.Options{Source: "pim"}, feed)
	mustLoad(t, s, importer.Options{Source: "erp", Kind: catalog.KindStock}, `{"sku":"a","qty":1}`)
	if err := s.Release(t.Context(), lease.Fence); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, s, erp, feed)
	for l := range leases(t, s) {
		t.Errorf("%s is left", l)
	}
}

// leases returns the names of the leases that a store has.
func leases(t *testing.T, s catalog.Store) map[string]bool {
	t.Helper()
	all, err := s.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, l := range all {
		names[l.Name] = true
	}
	return names
}

// robbed is a store in which somebody takes an import's lease over before its
// first write.
type robbed struct {
	catalog.Store
	done bool
}

func (r *robbed) Apply(ctx context.Context, w []catalog.Write) ([]catalog.Result, error) {
	if !r.done {
		r.done = true
		all, err := r.Leases(ctx)
		if err != nil || len(all) != 1 {
			return nil, fmt.Errorf("leases %v: %w", all, err)
		}
		if _, err := r.Acquire(ctx, all[0].Name, all[0].Holder, time.Hour); err != nil {
			return nil, err
		}
	}
	return r.Store.Apply(ctx, w)
}

// TestImportThatLostItsLease writes nothing more.
func TestImportThatLostItsLease(t *testing.T) {
	s := open(t)
	_, err := load(t, &robbed{Store: s}, importer.Options{}, products(0, 100))
	if !errors.Is(err, catalog.ErrFenced) {
		t.Errorf("the error is %v", err)
	}
	st, err := s.Stats(t.Context())
	if err != nil || st.Records[catalog.KindProduct] != 0 {
		t.Errorf("%d products are in, %v", st.Records[catalog.KindProduct], err)
	}
}
