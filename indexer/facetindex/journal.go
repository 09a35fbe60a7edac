package facetindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
	"catalog/indexer/facetindex/internal/disk"
)

const (
	journalMagic   = "CATJNL"
	journalVersion = 2 // 1 had no prices without stock
	journalHead    = len(journalMagic) + 2
)

// record is an entry of the journal: live data of units, and the cursor behind
// it.
type record struct {
	seq   uint64
	clean bool // everything before the record's cursor was durable or is in the journal
	at    catalog.Cursor
	ops   []indexer.LiveOp
}

// journal is the file that records are appended to.
type journal struct {
	name  string
	file  disk.File
	size  int64
	dirty bool
	old   bool // of an earlier version: to be written anew
	buf   []byte
}

func createJournal(d disk.FS, name string) (*journal, error) {
	f, err := d.Create(name)
	if err != nil {
		return nil, err
	}
	j := &journal{name: name, file: f, dirty: true}
	if err := j.write(binary.LittleEndian.AppendUint16([]byte(journalMagic), journalVersion)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

func (j *journal) write(b []byte) error {
	n, err := j.file.Write(b)
	j.size += int64(n)
	j.dirty = true
	return err
}

func (j *journal) append(r *record) error {
	j.buf = append(j.buf[:0], make([]byte, 8)...)
	j.buf = r.appendTo(j.buf)
	binary.LittleEndian.PutUint32(j.buf, uint32(len(j.buf)-8))
	binary.LittleEndian.PutUint32(j.buf[4:], crc32.Checksum(j.buf[8:], crcTable))
	return j.write(j.buf)
}

func (j *journal) sync() error {
	if !j.dirty {
		return nil
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.dirty = false
	return nil
}

func (r *record) appendTo(b []byte) []byte {
	b = binary.AppendUvarint(b, r.seq)
	if r.clean {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = codec.AppendString(b, r.at.Epoch)
	b = binary.AppendUvarint(b, uint64(r.at.Seq))
	b = binary.AppendUvarint(b, uint64(len(r.ops)))
	for i := range r.ops {
		b = appendLive(codec.AppendString(b, r.ops[i].SKU), &r.ops[i])
	}
	return b
}

// Flags of live data in the journal.
const (
	flagInStock = 1 << iota
	flagNext
	flagPrices // stock stays as it is
	flagStock  // prices stay as they are
)

func appendLive(b []byte, op *indexer.LiveOp) []byte {
	l := &op.Live
	flags := [...]byte{indexer.LiveAll: 0, indexer.LivePrices: flagPrices, indexer.LiveStock: flagStock}[op.Part]
	if l.InStock {
		flags |= flagInStock
	}
	if !l.Next.IsZero() {
		flags |= flagNext
	}
	b = append(b, flags)
	if !l.Next.IsZero() {
		b = binary.AppendVarint(b, l.Next.Unix())
		b = binary.AppendUvarint(b, uint64(l.Next.Nanosecond()))
	}
	b = binary.AppendUvarint(b, uint64(len(l.Prices)))
	for i := range l.Prices {
		p := &l.Prices[i]
		for _, s := range [...]string{p.Scope.Currency, p.Scope.Website, p.Scope.Group, p.Scope.List} {
			b = codec.AppendString(b, s)
		}
		b = binary.AppendVarint(b, int64(p.Amount))
		b = binary.AppendVarint(b, int64(p.Regular))
	}
	return b
}

func readLive(r *codec.Reader, op *indexer.LiveOp) {
	l := &op.Live
	flags := r.Bytes(1)
	if r.Err() != nil {
		return
	}
	switch {
	case flags[0]&flagPrices != 0:
		op.Part = indexer.LivePrices
	case flags[0]&flagStock != 0:
		op.Part = indexer.LiveStock
	}
	l.InStock = flags[0]&flagInStock != 0
	if flags[0]&flagNext != 0 {
		l.Next = time.Unix(r.Varint(), int64(r.Uvarint()%1e9)).UTC()
	}
	for range r.Count(6) {
		p := indexer.Price{Scope: indexer.Scope{Currency: r.String(), Website: r.String(), Group: r.String(), List: r.String()}}
		p.Amount, p.Regular = indexer.Amount(r.Varint()), indexer.Amount(r.Varint())
		l.Prices = append(l.Prices, p)
	}
}

func readRecord(b []byte) (*record, error) {
	r := codec.NewReader(b)
	rec := &record{seq: r.Uvarint()}
	clean := r.Bytes(1)
	rec.at = catalog.Cursor{Epoch: r.String(), Seq: catalog.Seq(r.Uvarint())}
	for range r.Count(3) {
		op := indexer.LiveOp{SKU: r.String()}
		readLive(r, &op)
		rec.ops = append(rec.ops, op)
	}
	if r.Err() != nil || r.Len() > 0 {
		return nil, fmt.Errorf("record: %w", indexer.ErrCorrupt)
	}
	rec.clean = clean[0] != 0
	return rec, nil
}

// readJournal returns the records of a journal and where each ends. What is
// not complete at the end is what a crash left, and is not returned; but
// before length everything was durable once, so there it is corruption.
func readJournal(name string, b []byte, length int64) (list []*record, ends []int64, err error) {
	bad := func(off int64, what string) error {
		return fmt.Errorf("%s: %s at %d: %w", name, what, off, indexer.ErrCorrupt)
	}
	if len(b) < journalHead {
		if length > 0 {
			return nil, nil, bad(0, "cut off")
		}
		return nil, nil, nil
	}
	if string(b[:len(journalMagic)]) != journalMagic {
		return nil, nil, bad(0, "no magic")
	}
	if v := versionOf(b); v == 0 || v > journalVersion {
		return nil, nil, fmt.Errorf("%s of version %d, not %d: %w", name, v, journalVersion, indexer.ErrFormat)
	}
	off := int64(journalHead)
	for off < int64(len(b)) {
		rec, next := nextRecord(b, off)
		if rec == nil {
			break
		}
		list, ends = append(list, rec), append(ends, next)
		off = next
	}
	if off < length {
		return nil, nil, bad(off, "checksum")
	}
	return list, ends, nil
}

// versionOf returns the version that the head of a journal names.
func versionOf(b []byte) uint16 { return binary.LittleEndian.Uint16(b[len(journalMagic):]) }

func nextRecord(b []byte, off int64) (*record, int64) {
	rest := b[off:]
	if len(rest) < 8 {
		return nil, 0
	}
	n := int64(binary.LittleEndian.Uint32(rest))
	if n > int64(len(rest)-8) || crc32.Checksum(rest[8:8+n], crcTable) != binary.LittleEndian.Uint32(rest[4:]) {
		return nil, 0
	}
	rec, err := readRecord(rest[8 : 8+n])
	if err != nil {
		return nil, 0
	}
	return rec, off + 8 + n
}
