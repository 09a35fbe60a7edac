package pebblestore

import (
	"encoding/binary"

	"catalog/catalog"
)

// maxLogBlock is the size in bytes at which a run of log entries ends.
const maxLogBlock = 32 << 10

// An entry starts with a byte: the kind, the op, and whether the key is that
// of the entry before, which it is for the price and stock of a product.
const (
	logKindMask = 0x07
	logDelete   = 0x08
	logSameKey  = 0x10
)

// logBlock is an encoded run of entries of consecutive Seqs.
type logBlock struct {
	first      catalog.Seq
	start, end int // in logWriter.buf
}

// logWriter encodes changes of consecutive Seqs into blocks.
type logWriter struct {
	buf    []byte
	blocks []logBlock
	key    catalog.Key
	next   catalog.Seq
}

func (w *logWriter) reset() {
	w.buf, w.blocks = w.buf[:0], w.blocks[:0]
}

func (w *logWriter) add(c catalog.Change) {
	last := len(w.blocks) - 1
	if last < 0 || len(w.buf)-w.blocks[last].start >= maxLogBlock || c.Seq != w.next {
		w.blocks = append(w.blocks, logBlock{first: c.Seq, start: len(w.buf)})
		last, w.key = last+1, ""
	}
	tag := byte(c.Kind)
	if c.Op == catalog.OpDelete {
		tag |= logDelete
	}
	if c.Key == w.key {
		w.buf = append(w.buf, tag|logSameKey)
	} else {
		w.buf = append(w.buf, tag)
		w.buf = appendString(w.buf, c.Key)
		w.key = c.Key
	}
	w.next = c.Seq + 1
	w.blocks[last].end = len(w.buf)
}

func (w *logWriter) value(b logBlock) []byte { return w.buf[b.start:b.end] }

// logReader decodes one block.
type logReader struct {
	rest []byte
	seq  catalog.Seq // of the next entry
	key  catalog.Key
}

// next returns the next entry; ok is false at the block's end.
func (r *logReader) next() (c catalog.Change, ok bool, err error) {
	if len(r.rest) == 0 {
		return c, false, nil
	}
	tag := r.rest[0]
	r.rest = r.rest[1:]
	kind := catalog.Kind(tag & logKindMask)
	if kind < catalog.KindProduct || kind > catalog.KindAttribute {
		return c, false, corrupt("a log entry of kind %d", kind)
	}
	if tag&logSameKey == 0 {
		key, rest, err := cutString(r.rest)
		if err != nil {
			return c, false, err
		}
		r.key, r.rest = catalog.Key(key), rest
	}
	c = catalog.Change{Seq: r.seq, Kind: kind, Op: catalog.OpPut, Key: r.key}
	if tag&logDelete != 0 {
		c.Op = catalog.OpDelete
	}
	r.seq++
	return c, true, nil
}

func logKeySeq(key []byte) (catalog.Seq, error) {
	if len(key) != 9 || key[0] != spaceLog {
		return 0, corrupt("a log key of %d bytes", len(key))
	}
	return catalog.Seq(binary.BigEndian.Uint64(key[1:])), nil
}
