package memo

import (
	"fmt"
	"testing"
)

func TestMemo(t *testing.T) {
	m := New[string](100)
	for i := range 10_000 {
		key := fmt.Sprint("key ", i%300)
		got, hash, ok := m.Get([]byte(key))
		if ok && *got != key {
			t.Fatalf("%s: %s", key, *got)
		}
		if !ok {
			m.Put(hash, &key)
		}
		if got, _, ok := m.Get([]byte(key)); !ok || *got != key {
			t.Fatalf("%s is forgotten at once", key)
		}
		if n := m.Len(); n > 200 {
			t.Fatalf("%d texts are remembered", n)
		}
	}
}

func TestKeepsWhatIsAskedFor(t *testing.T) {
	m := New[int](10)
	one := 1
	_, hash, _ := m.Get([]byte("often"))
	m.Put(hash, &one)
	for i := range 1000 {
		_, h, _ := m.Get([]byte(fmt.Sprint(i)))
		m.Put(h, &one)
		if _, _, ok := m.Get([]byte("often")); !ok {
			t.Fatalf("forgotten after %d others", i)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	m := New[int](1 << 15)
	var keys [][]byte
	for i := range 30_000 {
		keys = append(keys, fmt.Appendf(nil, "word%d", i))
		_, h, _ := m.Get(keys[i])
		m.Put(h, &i)
	}
	i := 0
	for b.Loop() {
		m.Get(keys[i%len(keys)])
		i += 7919
	}
}
