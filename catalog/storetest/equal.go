package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"catalog/catalog"
)

// DumpOptions say what a dump shows beside records.
type DumpOptions struct {
	Seqs  bool          // of records; differ between stores that were written in another order
	Log   bool          // the change log, with its Seqs if Seqs is set
	Metas bool          // names and values
	Refs  []catalog.Ref // looked up: a store cannot list its refs
}

// Dump writes a store's content as text, a line for each thing in it, that is
// the same for equal stores: kinds in the order of catalog.Kinds, records in
// the order of their keys.
//
//	record product "SKU-1" source="erp" hash=… body={"sku":"SKU-1"}
//	ref 1 "de" "schuh" = ["SKU-1"]
//	change put product "SKU-1"
//	meta "reports/1" = "…"
func Dump(ctx context.Context, w io.Writer, s catalog.Store, o DumpOptions) error {
	for _, kind := range catalog.Kinds() {
		for r, err := range s.Scan(ctx, kind, catalog.All) {
			if err != nil {
				return err
			}
			seq := ""
			if o.Seqs {
				seq = fmt.Sprintf(" seq=%d", r.Seq)
			}
			if _, err := fmt.Fprintf(w, "record %v %q source=%q hash=%v%s body=%s\n", r.Kind, r.Key, r.Source, r.Hash, seq, r.Body); err != nil {
				return err
			}
		}
	}
	for _, ref := range o.Refs {
		keys, err := s.Lookup(ctx, ref)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "ref %d %q %q = %q\n", ref.Type, ref.Store, ref.Value, keys); err != nil {
			return err
		}
	}
	if o.Log {
		if err := dumpLog(ctx, w, s, o.Seqs); err != nil {
			return err
		}
	}
	if o.Metas {
		for m, err := range s.Metas(ctx, "") {
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "meta %q = %q\n", m.Name, m.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// dumpLog writes the part of the log that is there.
func dumpLog(ctx context.Context, w io.Writer, s catalog.Store, seqs bool) error {
	from, err := logStart(ctx, s)
	if err != nil {
		return err
	}
	for c, err := range s.Changes(ctx, from) {
		if err != nil {
			return err
		}
		seq := ""
		if seqs {
			seq = fmt.Sprintf("%d ", c.Seq)
		}
		if _, err := fmt.Fprintf(w, "change %s%v %v %q\n", seq, c.Op, c.Kind, c.Key); err != nil {
			return err
		}
	}
	return nil
}

// logStart returns the cursor before the oldest change in the log.
func logStart(ctx context.Context, s catalog.Store) (catalog.Cursor, error) {
	st, err := s.Stats(ctx)
	if err != nil {
		return catalog.Cursor{}, err
	}
	if st.LogFirst == 0 {
		return st.Tail, nil
	}
	return catalog.Cursor{Epoch: st.Tail.Epoch, Seq: st.LogFirst - 1}, nil
}

func (e *env) dump(o DumpOptions) string {
	e.Helper()
	var b strings.Builder
	e.ok(Dump(e.ctx, &b, e.s, o))
	return b.String()
}

// Equal fails the test unless both stores hold the same records (keys, bodies,
// hashes and sources, not Seqs), find the same by each of refs, and are at one
// with themselves as Check says.
func Equal(t testing.TB, a, b catalog.Store, refs ...catalog.Ref) {
	t.Helper()
	ctx := t.Context()
	diff, err := Diff(ctx, a, b, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range diff {
		t.Error(line)
	}
	for _, ref := range refs {
		in, err := a.Lookup(ctx, ref)
		if err != nil {
			t.Fatal(err)
		}
		out, err := b.Lookup(ctx, ref)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(in) != fmt.Sprint(out) {
			t.Errorf("ref %+v: %q in one store, %q in the other", ref, in, out)
		}
	}
	for name, s := range map[string]catalog.Store{"first": a, "second": b} {
		if err := Check(ctx, s); err != nil {
			t.Errorf("the %s store: %v", name, err)
		}
	}
}

// Diff returns a line for each record that the stores do not have alike, at
// most limit; none when they are equal. It reads both stores once, in order.
func Diff(ctx context.Context, a, b catalog.Store, limit int) ([]string, error) {
	var lines []string
	for _, kind := range catalog.Kinds() {
		more, err := diffKind(ctx, a, b, kind, limit-len(lines))
		lines = append(lines, more...)
		if err != nil || len(lines) >= limit {
			return lines, err
		}
	}
	return lines, nil
}

func diffKind(ctx context.Context, a, b catalog.Store, kind catalog.Kind, limit int) (lines []string, err error) {
	nextA, stopA := iter.Pull2(a.Scan(ctx, kind, catalog.All))
	defer stopA()
	nextB, stopB := iter.Pull2(b.Scan(ctx, kind, catalog.All))
	defer stopB()
	ra, errA, okA := nextA()
	rb, errB, okB := nextB()
	for (okA || okB) && len(lines) < limit {
		if err := errors.Join(errA, errB); err != nil {
			return lines, err
		}
		switch {
		case !okB || okA && ra.Key < rb.Key:
			lines = append(lines, fmt.Sprintf("%v %q is in the first store only", kind, ra.Key))
			ra, errA, okA = nextA()
			continue
		case !okA || rb.Key < ra.Key:
			lines = append(lines, fmt.Sprintf("%v %q is in the second store only", kind, rb.Key))
			rb, errB, okB = nextB()
			continue
		case !bytes.Equal(ra.Body, rb.Body):
			lines = append(lines, fmt.Sprintf("%v %q: %.300s in one store, %.300s in the other", kind, ra.Key, ra.Body, rb.Body))
		case ra.Hash != rb.Hash || ra.Source != rb.Source:
			lines = append(lines, fmt.Sprintf("%v %q: hash %v source %q in one store, %v %q in the other", kind, ra.Key, ra.Hash, ra.Source, rb.Hash, rb.Source))
		}
		ra, errA, okA = nextA()
		rb, errB, okB = nextB()
	}
	return lines, nil
}
