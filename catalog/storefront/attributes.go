package storefront

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"catalog/indexer"
)

// attributeStats keeps statistics of attributes for a while: to count them
// means to look at the whole index.
type attributeStats struct {
	mu   sync.Mutex
	list []indexer.AttributeStats
	at   time.Time
}

func (s *Server) attributeStats(ctx context.Context) ([]indexer.AttributeStats, error) {
	if s.opts.Index == nil {
		return nil, problemf(http.StatusNotImplemented, "", "the server has no index to ask for attributes")
	}
	k := &s.attributes
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := s.opts.Now(); k.list == nil || now.Sub(k.at) >= treeLife {
		list, err := s.opts.Index.Attributes(ctx)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(list, func(a, b indexer.AttributeStats) int {
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
		k.list, k.at = list, now
	}
	return k.list, nil
}

// maxAttributes bounds the attributes of one answer; a shop with more is asked
// by name.
const maxAttributes = 2000

func (s *Server) getAttributes(a *answer, r *request) error {
	st, view, err := s.view(a, r, r.q.get("store"))
	if err != nil {
		return err
	}
	names := r.q.all(nil, "name")
	if len(names) > maxFields {
		return badRequest("name", "%d names are more than %d", len(names), maxFields)
	}
	list, err := s.attributeStats(r.Context())
	if err != nil {
		return err
	}
	a.life = LifeSearch
	b := append(a.body, `{"store":`...)
	b = appendString(b, view.Code)
	b = append(b, `,"attributes":[`...)
	n := 0
	for _, at := range list {
		if n == maxAttributes || len(names) > 0 && !slices.Contains(names, at.Name) {
			continue
		}
		b = comma(b, n)
		n++
		b = st.appendAttribute(b, at, view.Code)
	}
	a.body = append(b, "]}"...)
	return nil
}

func (st *shopState) appendAttribute(b []byte, at indexer.AttributeStats, store string) []byte {
	meta := st.Meta(at.Name, store)
	label := meta.Label
	if label == "" {
		label = at.Name
	}
	kind := "text"
	switch at.Products {
	case at.Numbers:
		kind = "number"
	case at.Dates:
		kind = "date"
	}
	b = append(b, `{"name":`...)
	b = appendString(b, at.Name)
	b = appendField(b, "label", label)
	if meta.Unit != "" {
		b = appendField(b, "unit", meta.Unit)
	}
	b = appendField(b, "type", kind)
	b = appendInt(b, "products", at.Products)
	if meta.Hidden || slices.Contains(st.Settings.Hidden, at.Name) {
		b = appendBool(b, "hidden", true)
	}
	if len(meta.Options) > 0 {
		b = append(b, `,"options":[`...)
		for i, o := range meta.Options {
			b = comma(b, i)
			b = append(b, `{"value":`...)
			b = appendString(b, o)
			l := meta.OptionLabels[o]
			if l == "" {
				l = o
			}
			b = appendField(b, "label", l)
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}
