package importer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"catalog/catalog"
	"catalog/catalog/storetest"
	"catalog/importer"
)

// twice makes an import survey its feed first: the limit is a share of what
// only that pass counts.
var twice = importer.Guards{MaxRejects: importer.Limit{Set: true, Count: 1 << 40}}

// tangled returns a feed in which records replace each other, embed variants,
// are rejected, and come in several kinds; keys says of how many keys its n
// records are. Either records that had a key are rejected, or, with shared,
// several parents embed one variant, which may also be a record of its own.
func tangled(rng *rand.Rand, n, keys int, shared bool) string {
	part := func(b *strings.Builder) {
		if rng.IntN(3) > 0 {
			fmt.Fprintf(b, `,"price":%d`, 1+rng.IntN(4))
		}
		if rng.IntN(3) > 0 {
			fmt.Fprintf(b, `,"stock":%d`, rng.IntN(4))
		}
	}
	var b strings.Builder
	for range n {
		key, sort := rng.IntN(keys), rng.IntN(24)
		if shared && sort < 2 {
			sort = 2
		}
		switch sort {
		case 0:
			fmt.Fprintf(&b, `{"sku":"S%d","name":5,"price":9}`, key)
		case 1:
			b.WriteString(`{"sku":"S1","na`)
		case 2:
			fmt.Fprintf(&b, `{"kind":"category","id":"c%d","name":"%d"}`, rng.IntN(4), rng.IntN(2))
		case 3:
			fmt.Fprintf(&b, `{"kind":"price","sku":"T%d","prices":[{"price":%d}]}`, key, 1+rng.IntN(4))
		default:
			fmt.Fprintf(&b, `{"sku":"S%d","name":"n%d","url_key":"u%d"`, key, rng.IntN(3), rng.IntN(keys))
			part(&b)
			if rng.IntN(4) == 0 {
				b.WriteString(`,"variants":[`)
				for i := range 1 + rng.IntN(3) {
					if i > 0 {
						b.WriteByte(',')
					}
					if shared {
						fmt.Fprintf(&b, `{"sku":"S%d"`, key+1+i*keys/2)
					} else {
						fmt.Fprintf(&b, `{"sku":"V%d-%d"`, key, i)
					}
					part(&b)
					b.WriteByte('}')
				}
				b.WriteByte(']')
			}
			b.WriteByte('}')
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// seeded returns random numbers, and logs what would give them again.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// TestOnceAndTwice imports feeds into empty stores by reading them once, and by
// surveying them first: stores, rejects and reports must be alike.
func TestOnceAndTwice(t *testing.T) {
	rng := seeded(t)
	feeds := 30
	if testing.Short() {
		feeds = 10
	}
	for i := range feeds {
		n, keys := 1+rng.IntN(400), 1+rng.IntN(800)
		if i%10 == 0 {
			n = 4000 // so much that comes again that the pass ends early
		}
		shared := rng.IntN(2) == 0
		feed := tangled(rng, n, keys, shared)
		o := importer.Options{Workers: 1 + i%3, BatchBytes: 40_000, Source: "erp", Mode: importer.Upsert}
		if i%2 == 0 {
			o.Mode, o.FeedCache = importer.Sync, t.TempDir()
			o.Guards.MaxUnreadable = importer.Limit{Set: true, None: true}
		}
		once, rejected := imported(t, o, feed)
		o.FeedCache = ""
		o.Guards.MaxRejects = twice.MaxRejects
		reference, wanted := imported(t, o, feed)
		// Of two parents that embed a variant the first has written it, but
		// whoever compares with the store lets the last one win.
		o.Guards.MaxPriceChange = importer.Limit{Set: true, None: true}
		mustLoad(t, reference.store, o, feed)
		storetest.Equal(t, reference.store, once.store)
		if rejected != wanted {
			t.Errorf("rejects\n%s\nwant\n%s", rejected, wanted)
		}
		if got, want := once.report.Counts, reference.report.Counts; got != want {
			t.Errorf("counts %+v\nwant   %+v", got, want)
		}
		for kind, part := range map[catalog.Kind]func(*importer.Report) *importer.Counts{
			catalog.KindPrice:    func(r *importer.Report) *importer.Counts { return r.Prices },
			catalog.KindStock:    func(r *importer.Report) *importer.Counts { return r.Stock },
			catalog.KindCategory: func(r *importer.Report) *importer.Counts { return r.Categories },
		} {
			var got, want importer.Counts
			if c := part(once.report); c != nil {
				got = *c
			}
			if c := part(reference.report); c != nil {
				want = *c
			}
			// A part of a variant that a later parent embeds without it is
			// there, but counts as one that was replaced.
			n := count(t, once.store, kind)
			if got.Read != want.Read || got.Created != n && !(shared && got.Created < n && got.Created+got.Duplicates > n) {
				t.Errorf("%s: counts %+v, want %+v; there are %d", kind, got, want, n)
			}
		}
		if t.Failed() {
			t.Fatalf("%d records of %d keys, %+v:\n%.4000s", n, keys, o, feed)
		}
		before := tail(t, once.store)
		mustLoad(t, once.store, o, feed)
		if tail(t, once.store) != before {
			t.Fatalf("the same feed again wrote something:\n%.4000s", feed)
		}
	}
}

func count(t *testing.T, s catalog.Store, kind catalog.Kind) int64 {
	t.Helper()
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st.Records[kind]
}

type outcome struct {
	store  catalog.Store
	report *importer.Report
}

func imported(t *testing.T, o importer.Options, feed string) (outcome, string) {
	t.Helper()
	var rejects strings.Builder
	o.Rejects = &rejects
	s := open(t)
	rep := mustLoad(t, s, o, feed)
	lines := strings.SplitAfter(rejects.String(), "\n")
	for i, line := range lines {
		_, lines[i], _ = strings.Cut(line, `"line":`) // the feed's name is another
	}
	slices.Sort(lines) // earlier records of a key whose last is rejected come late
	return outcome{s, rep}, strings.Join(lines, "")
}

var errKilled = errors.New("killed")

// mortal is a store that fails for good after some writes, as if the process
// had been killed.
type mortal struct {
	catalog.Store
	left int
}

func (m *mortal) Apply(ctx context.Context, writes []catalog.Write) ([]catalog.Result, error) {
	if m.left--; m.left < 0 {
		return nil, errKilled
	}
	return m.Store.Apply(ctx, writes)
}

func (m *mortal) SetMeta(ctx context.Context, name string, value []byte) error {
	if m.left--; m.left < 0 {
		return errKilled
	}
	return m.Store.SetMeta(ctx, name, value)
}

// TestOnceKilled ends imports into empty stores at every step: the same command
// again must end in the store of one that nobody disturbed.
func TestOnceKilled(t *testing.T) {
	rng := seeded(t)
	feeds := 4
	if testing.Short() {
		feeds = 1
	}
	for i := range feeds {
		feed := tangled(rng, 150, 100, i%2 == 0)
		name := filepath.Join(t.TempDir(), "feed.jsonl")
		if err := os.WriteFile(name, []byte(feed), 0o600); err != nil {
			t.Fatal(err)
		}
		o := importer.Options{Feeds: []string{name}, BatchBytes: 1, Workers: 1}
		o.Guards.MaxPriceChange = importer.Limit{Set: true, None: true}
		o.Guards.MaxRejects = twice.MaxRejects
		whole := open(t)
		for range 2 {
			if _, err := importer.Run(t.Context(), whole, o); err != nil {
				t.Fatal(err)
			}
		}
		o.Guards.MaxRejects = importer.Limit{}
		killed := 0
		for steps := 0; ; steps++ {
			s := open(t)
			_, err := importer.Run(t.Context(), &mortal{s, steps}, o)
			if err == nil {
				break
			}
			if !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			killed++
			rep, err := importer.Run(t.Context(), s, o)
			if err != nil {
				t.Fatal(err)
			}
			closes(t, rep)
			storetest.Equal(t, whole, s)
			if _, err := s.Meta(t.Context(), "import/unsettled/products/default"); !errors.Is(err, catalog.ErrNotFound) {
				t.Errorf("the import is still unsettled: %v", err)
			}
			if t.Failed() {
				t.Fatalf("killed after %d steps:\n%s", steps, feed)
			}
		}
		if killed < 3 {
			t.Errorf("killed %d times only", killed)
		}
	}
}
