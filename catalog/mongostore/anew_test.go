package mongostore_test

import (
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"catalog/catalog"
	"catalog/catalog/mongostore"
	"catalog/catalog/storetest"
)

// TestTwoStores: what one process writes another sees and is woken by, and both
// write to one log.
func TestTwoStores(t *testing.T) {
	url := database(t, server(t))
	a, b := open(t, url, nil), open(t, url, nil)
	tail, err := b.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range []catalog.Store{a, b, a, a, b} {
		woken := make(chan error, 1)
		other := []catalog.Store{b, a, b, b, a}[i]
		go func() { woken <- other.Wait(t.Context(), tail) }()
		key := catalog.Key(rune('a' + i))
		res, err := s.Apply(t.Context(), []catalog.Write{{Kind: catalog.KindProduct, Key: key, Body: []byte(`{}`)}})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-woken; err != nil {
			t.Fatal(err)
		}
		if tail, err = other.Tail(t.Context()); err != nil || tail.Seq != res[0].Seq {
			t.Fatalf("the tail is %v, %v; want Seq %d", tail, err, res[0].Seq)
		}
		if heads, err := other.HeadsOf(t.Context(), catalog.KindProduct, key); err != nil || heads[0].Seq != tail.Seq {
			t.Fatalf("the head is %+v, %v", heads, err)
		}
	}
	storetest.Equal(t, a, b)
}

// TestMadeAnew: the database is dropped, or restored, while a store is open.
func TestMadeAnew(t *testing.T) {
	url := database(t, server(t))
	name, err := mongostore.Database(url)
	if err != nil {
		t.Fatal(err)
	}
	write := []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: []byte(`{}`)}}
	s := open(t, url, nil)
	for range 5 {
		write[0].Body = append(write[0].Body, ' ')
		if _, err := s.Apply(t.Context(), write); err != nil {
			t.Fatal(err)
		}
	}
	old, err := s.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	// A restored copy gets a new epoch, as the package's doc says.
	admin(t, url, func(c *driver.Client) error {
		_, err := c.Database(name).Collection("state").UpdateOne(t.Context(), bson.D{}, bson.D{{Key: "$unset", Value: bson.D{{Key: "epoch", Value: 1}}}})
		return err
	})
	restored := open(t, url, nil)
	if err := restored.Follow(t.Context(), "f", old); !errors.Is(err, catalog.ErrTrimmed) {
		t.Errorf("a cursor of before the restore: %v", err)
	}

	if err := server(t).Drop(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	open(t, url, nil)
	for _, s := range []catalog.Store{s, restored} {
		if _, err := s.Apply(t.Context(), write); err != nil {
			t.Fatal(err)
		}
		if err := storetest.Check(t.Context(), s); err != nil {
			t.Error(err)
		}
		tail, err := s.Tail(t.Context())
		if err != nil || tail.Epoch == old.Epoch || tail.Seq != 1 {
			t.Errorf("the tail is %v, %v", tail, err)
		}
		if err := s.Wait(t.Context(), old); !errors.Is(err, catalog.ErrTrimmed) {
			t.Errorf("a cursor of before: %v", err)
		}
	}
}

// TestNewerFormat: what a newer version wrote is left alone.
func TestNewerFormat(t *testing.T) {
	url := database(t, server(t))
	name, err := mongostore.Database(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, url, nil).Close(); err != nil {
		t.Fatal(err)
	}
	admin(t, url, func(c *driver.Client) error {
		_, err := c.Database(name).Collection("state").UpdateOne(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "format", Value: 2}}}})
		return err
	})
	if _, err := mongostore.Open(t.Context(), url, nil); !errors.Is(err, catalog.ErrVersion) {
		t.Errorf("the error is %v, want %v", err, catalog.ErrVersion)
	}
}

// TestOperatorAsks: documents are found by what is in them.
func TestOperatorAsks(t *testing.T) {
	url := database(t, server(t))
	s := open(t, url, nil)
	body := `{"sku":"a","attributes":{"color":"red","size":42},"weight":1.10,"a.b":{"$c":true}}`
	if _, err := s.Apply(t.Context(), []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: []byte(body)}}); err != nil {
		t.Fatal(err)
	}
	name, err := mongostore.Database(url)
	if err != nil {
		t.Fatal(err)
	}
	admin(t, url, func(c *driver.Client) error {
		for _, filter := range []bson.D{
			{{Key: "doc.attributes.color", Value: "red"}},
			{{Key: "doc.attributes.size", Value: bson.D{{Key: "$gt", Value: 41}}}},
			{{Key: "doc.weight", Value: 1.1}},
		} {
			if n, err := c.Database(name).Collection("products").CountDocuments(t.Context(), filter); err != nil || n != 1 {
				t.Errorf("%v finds %d, %v", filter, n, err)
			}
		}
		return nil
	})
}
