package segment

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/codec"
)

// Attr returns the number of an attribute; -1 if no document has it.
func (s *Segment) Attr(name string) int {
	if i, ok := s.AttrNames.Find([]byte(name)); ok {
		return i
	}
	return -1
}

// AttrName returns an attribute's name by its number; it is made once.
func (s *Segment) AttrName(i int) string {
	if p := s.names[i].Load(); p != nil {
		return *p
	}
	name := s.AttrNames.String(i)
	s.names[i].Store(&name)
	return name
}

// Field returns the field of an attribute by its number.
func (s *Segment) Field(i int) (*Field, error) {
	if f := s.fields[i].Load(); f != nil {
		return f, nil
	}
	from := int64(0)
	if i > 0 {
		from = s.attrEnds.At(i - 1)
	}
	if err := s.check.check("attrs", from, s.attrEnds.At(i)); err != nil {
		return nil, s.named(err)
	}
	r := codec.NewReader(s.attrs[from:s.attrEnds.At(i)])
	f, err := readField(r, s.Docs, s.Rows)
	if err == nil {
		f.Having, err = s.readLists(r, f.Texts.Len())
	}
	if err != nil {
		return nil, &CorruptError{File: s.file, Section: "attrs", Cause: fmt.Errorf("attribute %q: %w", s.AttrNames.String(i), err)}
	}
	s.fields[i].Store(f)
	return f, nil
}

// DocAttrs appends the numbers of the attributes that a document or its units
// have, in descending order.
func (s *Segment) DocAttrs(dst []uint32, doc uint32) []uint32 {
	for n := s.node.At(int(doc)); n != 0; n = s.parent.At(int(n)) {
		dst = append(dst, uint32(s.nodeAttr.At(int(n))))
	}
	return dst
}

// Node returns what is equal for documents that have the same attributes.
func (s *Segment) Node(doc uint32) uint32 { return uint32(s.node.At(int(doc))) }

// NodeAttrs is DocAttrs by node.
func (s *Segment) NodeAttrs(dst []uint32, node uint32) []uint32 {
	for n := int64(node); n != 0; n = s.parent.At(int(n)) {
		dst = append(dst, uint32(s.nodeAttr.At(int(n))))
	}
	return dst
}

// Find returns the documents of a SKU: those from lo and below hi.
func (s *Segment) Find(sku string) (lo, hi uint32) {
	k, ok := s.SKUs.Find([]byte(sku))
	if !ok {
		return 0, 0
	}
	return s.DocsOf(k)
}

// DocsOf is Find by the number of the SKU.
func (s *Segment) DocsOf(sku int) (lo, hi uint32) {
	l := sort.Search(s.Docs, func(i int) bool { return s.DocSKU.At(s.place(i)) >= int64(sku) })
	if l < s.Docs {
		l = s.place(l)
	}
	h := l // those of a SKU are next to each other
	for h < s.Docs && s.DocSKU.At(h) == int64(sku) {
		h++
	}
	return uint32(l), uint32(h)
}

// place returns the i-th document in the order of SKU and view.
func (s *Segment) place(i int) int {
	if s.places.Len() > 0 {
		return int(s.places.At(i))
	}
	return i
}

// RowsOf appends the rows of units with the SKU of that number.
func (s *Segment) RowsOf(dst []uint32, sku int) []uint32 {
	at := func(i int) int64 { return s.RowSKU.At(int(s.bySKU.At(i))) }
	for i := sort.Search(s.Rows, func(i int) bool { return at(i) >= int64(sku) }); i < s.Rows && at(i) == int64(sku); i++ {
		dst = append(dst, uint32(s.bySKU.At(i)))
	}
	return dst
}

// DocOf returns the document that a row belongs to.
func (s *Segment) DocOf(row uint32) uint32 {
	if s.Docs == s.Rows {
		return row
	}
	return uint32(sort.Search(s.Docs, func(i int) bool { return s.First.At(i+1) > int64(row) }))
}

// FoldedSKUs appends the numbers of the SKUs whose folded form is exact.
func (s *Segment) FoldedSKUs(dst []int, exact string) []int {
	at := func(i int) int {
		if s.folded.Len() > 0 {
			return int(s.folded.At(i))
		}
		return i
	}
	n := s.SKUs.Len()
	fold := func(i int) string { return indexer.Fold(s.SKUs.String(at(i))) }
	for i := sort.Search(n, func(i int) bool { return fold(i) >= exact }); i < n && fold(i) == exact; i++ {
		dst = append(dst, at(i))
	}
	return dst
}

// ViewOf returns the view of a document.
func (s *Segment) ViewOf(doc uint32) string { return s.views[s.View.At(int(doc))] }

// Term returns the word at an iterator of the lexicon.
func (s *Segment) Term(it *codec.DictIter) []byte {
	n := int(s.termLens.At(it.Index()))
	return it.Key()[:min(n, len(it.Key()))]
}

// TermLen returns how long a word's term is.
func (s *Segment) TermLen(lex int) int { return int(s.termLens.At(lex)) }

// Stem returns the stem of the word at an iterator of the lexicon.
func (s *Segment) Stem(it *codec.DictIter) []byte {
	term := s.Term(it)
	return unpackStem(nil, term, it.Key()[min(len(term)+1, len(it.Key())):])
}

// StemWords appends the words that have a stem: those that are no stem
// themselves are listed, the one that is has it in its key.
func (s *Segment) StemWords(dst []int, stem string) []int {
	if _, term, ok := strings.Cut(stem, ":"); ok {
		key := packStem(append([]byte(term), 0), term, stem)
		if i, ok := s.Lexicon.Find(key); ok && s.TermLen(i) == len(term) {
			dst = append(dst, i)
		}
	}
	k, ok := s.stems.Find([]byte(stem))
	if !ok {
		return dst
	}
	from := int64(0)
	if k > 0 {
		from = s.stemEnds.At(k - 1)
	}
	for i := from; i < s.stemEnds.At(k); i++ {
		dst = append(dst, int(s.stemLex.At(int(i))))
	}
	return dst
}

// Postings returns the documents that have a word, by class.
func (s *Segment) Postings(lex int) ([indexer.NumClasses]codec.Postings, error) {
	return s.PostingsIn(nil, lex)
}

// PostingsIn is Postings with memory for short lists: see
// codec.ReadPostingsIn.
func (s *Segment) PostingsIn(mem *[]uint32, lex int) (lists [indexer.NumClasses]codec.Postings, err error) {
	from := int64(0)
	if lex > 0 {
		from = s.lexEnds.At(lex - 1)
	}
	if err := s.check.check("postings", from, s.lexEnds.At(lex)); err != nil {
		return lists, s.named(err)
	}
	r := codec.NewReader(s.postings[from:s.lexEnds.At(lex)])
	mask := r.Bytes(1)
	for c := range lists {
		if r.Err() == nil && mask[0]>>c&1 != 0 {
			lists[c], err = codec.ReadPostingsIn(mem, r, s.Docs)
		}
	}
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return lists, &CorruptError{File: s.file, Section: "postings", Cause: err}
	}
	return lists, nil
}

// Positions calls f for the documents that have a position in a category.
func (s *Segment) Positions(cat int, f func(doc uint32, pos int32)) {
	from := int64(0)
	if cat > 0 {
		from = s.posEnds.At(cat - 1)
	}
	for i := int(from); i < int(s.posEnds.At(cat)); i++ {
		f(uint32(s.posDocs.At(i)), int32(s.posNums.At(i)))
	}
}

// PositionRange returns where the positions of a category are.
func (s *Segment) PositionRange(cat int) (from, to int) {
	if cat > 0 {
		from = int(s.posEnds.At(cat - 1))
	}
	return from, int(s.posEnds.At(cat))
}

// PositionAt returns what stands at a place that PositionRange told of.
func (s *Segment) PositionAt(i int) (doc uint32, pos int32) {
	return uint32(s.posDocs.At(i)), int32(s.posNums.At(i))
}

// ValuesOf calls f for the values that have one of the words in their text,
// those from one on and below another; once for each.
func (s *Segment) ValuesOf(from, to int, f func(attr, text int)) {
	for i := s.wordEnds.At(from); i < s.wordEnds.At(to); i++ {
		f(int(s.wordAttr.At(int(i))), int(s.wordText.At(int(i))))
	}
}

// Titles reads names block by block.
type Titles struct {
	s     *Segment
	block int
	names [][]byte
	z     io.ReadCloser
}

// Titles returns a reader of names, best asked in the order of documents.
func (s *Segment) Titles() *Titles { return &Titles{s: s, block: -1} }

// Of returns the name of a document, which holds until the next call.
func (t *Titles) Of(doc uint32) ([]byte, error) {
	if b := int(doc) / titleBlock; b != t.block {
		if err := t.read(b); err != nil {
			return nil, t.s.titleError(err)
		}
		t.block = b
	}
	return t.names[doc%titleBlock], nil
}

func (s *Segment) titleError(err error) error {
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		return s.named(err)
	}
	return &CorruptError{File: s.file, Section: "titles", Cause: err}
}

// named adds the file's name to an error of the checker's.
func (s *Segment) named(err error) error {
	var corrupt *CorruptError
	if errors.As(err, &corrupt) && corrupt.File == "" {
		return &CorruptError{File: s.file, Section: corrupt.Section, Cause: corrupt.Cause}
	}
	return err
}

var errTitles = errors.New("a block of names is cut off")

func (t *Titles) read(b int) error {
	from := int64(0)
	if b > 0 {
		from = t.s.titleEnds.At(b - 1)
	}
	if err := t.s.check.check("titles", from, t.s.titleEnds.At(b)); err != nil {
		return err
	}
	src := bytes.NewReader(t.s.titles[from:t.s.titleEnds.At(b)])
	if t.z == nil {
		t.z = flate.NewReader(src)
	} else if err := t.z.(flate.Resetter).Reset(src, nil); err != nil {
		return err
	}
	data, err := io.ReadAll(t.z)
	if err != nil {
		return err
	}
	n := min(titleBlock, t.s.Docs-b*titleBlock)
	lens := make([]int, n)
	for i := range lens {
		v, w := binary.Uvarint(data)
		if w <= 0 || v > uint64(len(data)) {
			return errTitles
		}
		lens[i], data = int(v), data[w:]
	}
	t.names = t.names[:0]
	for _, l := range lens {
		if l > len(data) {
			return errTitles
		}
		t.names = append(t.names, data[:l])
		data = data[l:]
	}
	return nil
}
