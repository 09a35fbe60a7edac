package importer

import (
	"fmt"
	"strings"
	"testing"

	"catalog/catalog"
)

// TestLoaderTurnsBuffers parses far more in one chunk than a buffer holds, as a
// range of Parquet rows does. A buffer that grew would leave what it was before
// in memory too, for as long as bodies in it wait.
func TestLoaderTurnsBuffers(t *testing.T) {
	l := &loader{r: &run{o: Options{Kind: catalog.KindProduct}}, bufs: &buffers{}}
	l.out = &loaded{}
	room := cap(l.bufs.get())
	text := strings.Repeat("x", 900)
	var bodies [][]byte
	size := 0
	for i := range 5 * room / 900 {
		if err := l.parse(catalog.KindProduct, fmt.Appendf(nil, `{"sku":"s%d","name":"n","text":%q}`, i, text)); err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, l.parsed.Body)
		size += len(l.parsed.Body)
	}
	l.turn()
	if len(l.out.bufs) < 5 {
		t.Errorf("%d buffers hold %d bytes", len(l.out.bufs), size)
	}
	for _, b := range l.out.bufs {
		if cap(b) != room {
			t.Errorf("a buffer of %d bytes has become one of %d", room, cap(b))
		}
	}
	if l.out.size != size {
		t.Errorf("the size is %d, want %d", l.out.size, size)
	}
	for i, b := range bodies {
		if want := fmt.Sprintf(`"s%d"`, i); !strings.Contains(string(b), want) {
			t.Fatalf("body %d is %s", i, b)
		}
	}
	// A document larger than a buffer has one of its own.
	if err := l.parse(catalog.KindProduct, fmt.Appendf(nil, `{"sku":"large","text":%q}`, strings.Repeat("y", 2*room))); err != nil || len(l.parsed.Body) < 2*room {
		t.Errorf("a large document came to %d bytes, %v", len(l.parsed.Body), err)
	}
}
