package indexer

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Keyset is a place between two hits, from which the next page goes on,
// whatever was added or removed meanwhile.
type Keyset struct {
	Sort    Sort
	Key     SortKey
	Relaxed Relaxed // as the page before; it holds for all that follow
}

// String returns the cursor of Result.Next.
func (k *Keyset) String() string {
	b, err := json.Marshal(k)
	if err != nil {
		return "" // numbers are finite: values that are not never get into a document
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseKeyset reads what String wrote; ErrQuery if it did not.
func ParseKeyset(s string) (*Keyset, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("cursor %q: %w", s, ErrQuery)
	}
	k := new(Keyset)
	if err := json.Unmarshal(b, k); err != nil || k.Relaxed > RelaxedAny {
		return nil, fmt.Errorf("cursor %q: %w", s, ErrQuery)
	}
	return k, nil
}
