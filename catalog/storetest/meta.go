package storetest

import (
	"bytes"
	"fmt"
	"strings"

	"catalog/catalog"
)

func metaPromises() []promise {
	return []promise{
		{"SetGetDelete", metaSetGetDelete},
		{"EmptyIsNotNil", metaEmpty},
		{"ByPrefixInOrder", metaPrefix},
		{"LargestValue", metaLargest},
		{"IsNoRecord", metaIsNoRecord},
	}
}

func statsPromises() []promise {
	return []promise{{"CountsExactly", statsExact}}
}

func metaSetGetDelete(e *env) {
	_, err := e.s.Meta(e.ctx, "a")
	e.is(err, catalog.ErrNotFound)
	for _, v := range []string{"one", "two", "\x00\xff any bytes\n", strings.Repeat("long", 100_000)} {
		e.ok(e.s.SetMeta(e.ctx, "a", []byte(v)))
		if got, err := e.s.Meta(e.ctx, "a"); err != nil || string(got) != v {
			e.Errorf("Meta returns %.50q, %v; want %.50q", got, err, v)
		}
	}
	e.ok(e.s.SetMeta(e.ctx, "a", nil))
	_, err = e.s.Meta(e.ctx, "a")
	e.is(err, catalog.ErrNotFound)
	e.ok(e.s.SetMeta(e.ctx, "a", nil)) // deleting what is not there is no error
}

func metaEmpty(e *env) {
	e.ok(e.s.SetMeta(e.ctx, "a", []byte{}))
	if got, err := e.s.Meta(e.ctx, "a"); err != nil || len(got) != 0 {
		e.Errorf("Meta returns %q, %v; want an empty value", got, err)
	}
	if got := collect(e, e.s.Metas(e.ctx, "")); len(got) != 1 || got[0].Name != "a" {
		e.Errorf("Metas yields %v", got)
	}
}

func metaPrefix(e *env) {
	names := []string{"a", "reports", "reports/", "reports/1", "reports/10", "reports/2", "reportsx", "settings", "é", "\xff", "\xff\xffx"}
	for i := range names {
		name := names[(i*4)%len(names)]
		e.ok(e.s.SetMeta(e.ctx, name, []byte("value of "+name)))
	}
	for _, prefix := range []string{"", "a", "reports", "reports/", "reports/1", "reports/11", "s", "é", "\xff", "zzz"} {
		var want, got []string
		for _, n := range names {
			if strings.HasPrefix(n, prefix) {
				want = append(want, n)
			}
		}
		for m, err := range e.s.Metas(e.ctx, prefix) {
			e.ok(err)
			got = append(got, m.Name)
			if string(m.Value) != "value of "+m.Name {
				e.Errorf("%q has the value %q", m.Name, m.Value)
			}
		}
		equal(e, fmt.Sprintf("metas of %q", prefix), got, want)
	}
}

func metaLargest(e *env) {
	e.ok(e.s.SetMeta(e.ctx, "a", largest(catalog.MaxBody)))
	if got, err := e.s.Meta(e.ctx, "a"); err != nil || !bytes.Equal(got, largest(catalog.MaxBody)) {
		e.Errorf("Meta returns %d bytes, %v", len(got), err)
	}
	e.is(e.s.SetMeta(e.ctx, "a", largest(catalog.MaxBody+1)), catalog.ErrInvalid)
	if got, err := e.s.Meta(e.ctx, "a"); err != nil || len(got) != catalog.MaxBody {
		e.Errorf("the refused value was written: %d bytes, %v", len(got), err)
	}
}

func metaIsNoRecord(e *env) {
	tail := e.tail()
	e.ok(e.s.SetMeta(e.ctx, "a", []byte(`{}`)))
	if got := e.tail(); got != tail {
		e.Errorf("the tail went from %v to %v", tail, got)
	}
	newStoreIsEmpty(e)
	// The store's own bookkeeping (epoch, leases, followers) is not listed.
	e.fill(3, 0)
	calls(e)
	if got := collect(e, e.s.Metas(e.ctx, "")); len(got) != 1 || got[0].Name != "a" {
		e.Errorf("Metas yields %v", got)
	}
}

func statsExact(e *env) {
	check := func(products, prices, entries int64, sources map[string]int64) {
		e.Helper()
		st, err := e.s.Stats(e.ctx)
		e.ok(err)
		if st.Backend == "" {
			e.Error("Stats does not name the backend")
		}
		if st.Records[catalog.KindProduct] != products || st.Records[catalog.KindPrice] != prices || st.Records[catalog.KindStock] != 0 {
			e.Errorf("the counts are %v, want %d products and %d prices", st.Records, products, prices)
		}
		if st.LogEntries != entries || st.Tail != e.tail() || (st.LogFirst != 0) != (entries != 0) {
			e.Errorf("the log is %d from %d to %v, want %d entries", st.LogEntries, st.LogFirst, st.Tail, entries)
		}
		if st.Sources != nil && fmt.Sprint(st.Sources) != fmt.Sprint(sources) {
			e.Errorf("the sources are %v, want %v", st.Sources, sources)
		}
	}
	check(0, 0, 0, map[string]int64{})
	e.fill(10, 2)
	e.apply(put(catalog.KindPrice, "k000001", `{}`))
	check(10, 1, 11, map[string]int64{"feed": 10})
	w := put(catalog.KindProduct, "k000001", doc("k000001", 1))
	w.Source = "other"
	e.outcomes([]catalog.Write{w}, catalog.Unchanged)
	check(10, 1, 11, map[string]int64{"feed": 9, "other": 1})
	e.outcomes([]catalog.Write{
		del(catalog.KindProduct, "k000001"), del(catalog.KindProduct, "nope"),
		put(catalog.KindProduct, "k000002", `{}`), put(catalog.KindProduct, "new", `{}`),
	}, catalog.Deleted, catalog.Absent, catalog.Updated, catalog.Created)
	check(10, 1, 14, map[string]int64{"feed": 10})
}
