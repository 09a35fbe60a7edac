package inspect

import (
	"fmt"
	"testing"

	"catalog/importer/internal/mapping"
)

func BenchmarkCollect(b *testing.B) {
	doc := fmt.Appendf(nil, `{"id":"0-8-15","name":"A product of some kind","price":19.90,"specs":{"size":{"eu":42,"us":9.5},"colors":["red","green","blue"],"weight":%d},"text":"%0900d"}`, 7, 0)
	b.SetBytes(int64(len(doc)))
	c := newCollector()
	for b.Loop() {
		if mapping.Valid(doc) {
			c.add(doc)
		}
	}
}
