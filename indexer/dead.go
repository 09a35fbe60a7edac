package indexer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"catalog/catalog"
)

// DeadLetter is a product that could not be indexed; the others were.
type DeadLetter struct {
	SKU   string    `json:"sku"`
	Error string    `json:"error"`
	At    time.Time `json:"at"`
}

// RejectedError is what Index.Apply and Builder.Apply return when the index
// does not take some products, but took all others and the cursor.
type RejectedError struct{ Products map[string]error }

func (e *RejectedError) Error() string {
	for sku, err := range e.Products {
		if len(e.Products) == 1 {
			return fmt.Sprintf("product %q: %v", sku, err)
		}
		return fmt.Sprintf("%d products, such as %q: %v", len(e.Products), sku, err)
	}
	return "no product"
}

func metaDead(name string) string { return "index/" + name + "/dead/" }

// DeadLetters yields the products that could not be indexed.
func DeadLetters(ctx context.Context, s catalog.Store, name string) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		for m, err := range s.Metas(ctx, metaDead(name)) {
			if err != nil {
				yield(DeadLetter{}, fmt.Errorf("indexer: reading dead letters: %w", err))
				return
			}
			d := DeadLetter{SKU: strings.TrimPrefix(m.Name, metaDead(name))}
			if err := json.Unmarshal(m.Value, &d); err != nil {
				d.Error = string(m.Value)
			}
			if !yield(d, nil) {
				return
			}
		}
	}
}

// bury keeps dead letters, and drops those of products that were indexed.
func (r *runner) bury(ctx context.Context, dead map[string]error, done []Op) error {
	r.deadMu.Lock()
	defer r.deadMu.Unlock()
	if r.quiet {
		for sku := range dead {
			r.dead[sku] = true
		}
		return nil
	}
	for _, op := range done {
		if r.dead[op.SKU] && dead[op.SKU] == nil {
			if err := r.store.SetMeta(ctx, metaDead(r.opts.Name)+op.SKU, nil); err != nil {
				return fmt.Errorf("indexer: dropping a dead letter: %w", err)
			}
			delete(r.dead, op.SKU)
		}
	}
	for sku, cause := range dead {
		r.opts.Log.WarnContext(ctx, "a product cannot be indexed", "sku", sku, "cause", cause)
		b, err := json.Marshal(DeadLetter{SKU: sku, Error: cause.Error(), At: r.opts.Now().UTC()})
		if err == nil {
			err = r.store.SetMeta(ctx, metaDead(r.opts.Name)+sku, b)
		}
		if err != nil {
			return fmt.Errorf("indexer: keeping a dead letter: %w", err)
		}
		r.dead[sku] = true
	}
	return nil
}

// rejected takes the products that an index does not take out of its error.
func rejected(err error) (map[string]error, error) {
	var e *RejectedError
	if errors.As(err, &e) {
		return e.Products, nil
	}
	return nil, err
}
