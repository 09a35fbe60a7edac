package remotestore

import (
	"encoding/binary"
	"fmt"
	"time"

	"catalog/catalog"
)

// decoder reads a payload. After the first fault all that it gives is zero, and
// err says what it was.
type decoder struct {
	b    []byte
	err  error
	last string // the source read before: most are the same
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", errFrame, what)
	}
	d.b = nil
}

// end reports a fault, or that something is left.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		d.fail("bytes after its end")
	}
	return d.err
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail("cut off")
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) bool() bool { return d.byte() != 0 }

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail("a number")
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail("a number")
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads the length of a list whose elements take least bytes each.
func (d *decoder) count(least int) int {
	n := d.uint()
	if n > uint64(len(d.b)/least) {
		d.fail("a list longer than its frame")
		return 0
	}
	return int(n)
}

// bytes reads a string without copying it.
func (d *decoder) bytes() []byte {
	n := d.count(1)
	if d.err != nil {
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) string() string { return string(d.bytes()) }

// source reads a string that is most likely the one read before.
func (d *decoder) source() string {
	b := d.bytes()
	if string(b) != d.last {
		d.last = string(b)
	}
	return d.last
}

func (d *decoder) hash() (h catalog.Hash) {
	if len(d.b) < len(h) {
		d.fail("a hash")
		return h
	}
	d.b = d.b[copy(h[:], d.b):]
	return h
}

func (d *decoder) time() (t time.Time) {
	if b := d.bytes(); d.err == nil && t.UnmarshalBinary(b) != nil {
		d.fail("a time")
	}
	return t
}

// rest reads all that is left without copying it.
func (d *decoder) rest() []byte {
	b := d.b
	d.b = nil
	return b
}

func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendTime(b []byte, t time.Time) []byte {
	text, err := t.MarshalBinary()
	if err != nil { // an offset of its zone that nobody has
		text, _ = t.UTC().MarshalBinary()
	}
	return appendString(b, text)
}

func appendCursor(b []byte, c catalog.Cursor) []byte {
	return binary.AppendUvarint(appendString(b, c.Epoch), uint64(c.Seq))
}

func (d *decoder) cursor() catalog.Cursor {
	return catalog.Cursor{Epoch: d.string(), Seq: catalog.Seq(d.uint())}
}

func appendFence(b []byte, f catalog.Fence) []byte {
	return binary.AppendUvarint(appendString(b, f.Name), f.Token)
}

func (d *decoder) fence() catalog.Fence {
	return catalog.Fence{Name: d.string(), Token: d.uint()}
}

// A head that is not there is a zero byte.
func appendHead(b []byte, h *catalog.Head) []byte {
	b = append(b, byte(h.Kind))
	if h.Kind == 0 {
		return b
	}
	b = appendString(b, h.Key)
	b = append(b, h.Hash[:]...)
	b = binary.AppendUvarint(b, uint64(h.Seq))
	return appendString(b, h.Source)
}

func (d *decoder) head() (h catalog.Head) {
	if h.Kind = catalog.Kind(d.byte()); h.Kind == 0 {
		return h
	}
	h.Key = catalog.Key(d.string())
	h.Hash = d.hash()
	h.Seq = catalog.Seq(d.uint())
	h.Source = d.source()
	return h
}

func appendChange(b []byte, c catalog.Change) []byte {
	b = append(b, byte(c.Kind), byte(c.Op))
	return appendString(binary.AppendUvarint(b, uint64(c.Seq)), c.Key)
}

func (d *decoder) change() catalog.Change {
	return catalog.Change{
		Kind: catalog.Kind(d.byte()), Op: catalog.Op(d.byte()),
		Seq: catalog.Seq(d.uint()), Key: catalog.Key(d.string()),
	}
}

func appendRef(b []byte, r catalog.Ref) []byte {
	return appendString(appendString(append(b, byte(r.Type)), r.Store), r.Value)
}

func (d *decoder) ref() catalog.Ref {
	return catalog.Ref{Type: catalog.RefType(d.byte()), Store: d.string(), Value: d.string()}
}

func appendLease(b []byte, l catalog.LeaseInfo) []byte {
	b = appendString(appendFence(b, l.Fence), l.Holder)
	return appendTime(appendTime(b, l.Since), l.Expires)
}

func (d *decoder) lease() catalog.LeaseInfo {
	return catalog.LeaseInfo{Fence: d.fence(), Holder: d.string(), Since: d.time(), Expires: d.time()}
}

func appendFollower(b []byte, f catalog.Follower) []byte {
	b = appendTime(appendCursor(appendString(b, f.Name), f.At), f.Moved)
	return binary.AppendVarint(b, f.Behind)
}

func (d *decoder) follower() catalog.Follower {
	return catalog.Follower{Name: d.string(), At: d.cursor(), Moved: d.time(), Behind: d.int()}
}

// What a write has.
const (
	writeBody = 1 << iota
	writeHash
	writeIf
)

// appendWrite appends a write but for its body, which is the rest of its
// payload.
func appendWrite(b []byte, w *catalog.Write) []byte {
	var has byte
	if w.Body != nil {
		has |= writeBody
	}
	if !w.Hash.IsZero() {
		has |= writeHash
	}
	if w.If != nil {
		has |= writeIf
	}
	b = appendString(append(b, has, byte(w.Kind)), w.Key)
	b = appendString(b, w.Source)
	if has&writeHash != 0 {
		b = append(b, w.Hash[:]...)
	}
	if has&writeIf != 0 {
		b = binary.AppendUvarint(b, uint64(*w.If))
	}
	b = binary.AppendUvarint(b, uint64(len(w.Refs)))
	for _, r := range w.Refs {
		b = appendRef(b, r)
	}
	return b
}

// write reads a write whose body is not copied.
func (d *decoder) write() (w catalog.Write) {
	has := d.byte()
	w.Kind = catalog.Kind(d.byte())
	w.Key = catalog.Key(d.string())
	w.Source = d.source()
	if has&writeHash != 0 {
		w.Hash = d.hash()
	}
	if has&writeIf != 0 {
		seq := catalog.Seq(d.uint())
		w.If = &seq
	}
	if n := d.count(3); n > 0 {
		w.Refs = make([]catalog.Ref, n)
		for i := range w.Refs {
			w.Refs[i] = d.ref()
		}
	}
	switch {
	case has > writeBody|writeHash|writeIf:
		d.fail("a write of another version")
	case has&writeBody != 0:
		if w.Body = d.rest(); w.Body == nil && d.err == nil {
			w.Body = []byte{}
		}
	}
	return w
}

func appendResults(b []byte, results []catalog.Result) []byte {
	b = binary.AppendUvarint(b, uint64(len(results)))
	for _, r := range results {
		b = binary.AppendUvarint(append(b, byte(r.Outcome)), uint64(r.Seq))
	}
	return b
}

func (d *decoder) results() []catalog.Result {
	results := make([]catalog.Result, d.count(2))
	for i := range results {
		results[i] = catalog.Result{Outcome: catalog.Outcome(d.byte()), Seq: catalog.Seq(d.uint())}
	}
	return results
}
