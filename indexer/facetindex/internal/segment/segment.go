package segment

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"catalog/indexer/facetindex/internal/codec"
)

// Segment is an open segment. It is safe for concurrent use.
type Segment struct {
	Docs, Rows int

	file  string   // its name, if much is verified later
	check *checker // nil: all is verified

	SKUs   codec.Dict
	DocSKU codec.Packed
	RowSKU codec.Packed
	bySKU  codec.Packed
	folded codec.Packed
	places codec.Packed // documents in the order of SKU and view; none: that is their own

	First   codec.Ints // row of each document, and the end
	views   []string
	View    codec.Ints
	Flags   codec.Ints
	Hash    codec.Ints // the upper half of the sample hash
	Created codec.Ints
	Complex codec.Postings
	lowest  lowest

	NameKeys  codec.Dict
	NameKey   codec.Ints // number of a document's key+1; 0: none
	NameWords codec.Ints
	titles    []byte
	titleEnds codec.Ints

	lexicon  []byte // the section
	words    later
	Lexicon  codec.Dict // see LoadWords
	termLens codec.Ints
	lexEnds  codec.Packed
	typos    typoMemo
	Suggest  codec.Packed // by word: documents that have it in classes that are suggested
	postings []byte
	stems    codec.Dict
	stemEnds codec.Packed // of stems that are not their words' terms
	stemLex  codec.Ints

	AttrNames codec.Dict
	attrEnds  codec.Ints
	attrs     []byte
	fields    []atomic.Pointer[Field]
	names     []atomic.Pointer[string]
	node      codec.Ints
	parent    codec.Ints
	nodeAttr  codec.Ints

	Stores   *Field
	StoreAll Lists // by store: who sees them
	Searched Lists
	Browsed  Lists
	Shown    Lists // searched or browsed
	Sellers  *Field
	Cats     *Field
	InCat    Lists
	posEnds  codec.Packed
	posDocs  codec.Ints
	posNums  codec.Ints

	valwords   []byte // the section
	valueWords later
	ValueWords codec.Dict // see LoadValueWords
	wordEnds   codec.Packed
	wordAttr   codec.Packed
	wordText   codec.Packed
}

// Lists is an array of posting lists.
type Lists struct {
	ends codec.Packed
	data []byte
	docs int
}

// Len returns how many lists there are.
func (l *Lists) Len() int { return l.ends.Len() }

// Get returns the i-th list.
func (l *Lists) Get(i int) (codec.Postings, error) {
	from := int64(0)
	if i > 0 {
		from = l.ends.At(i - 1)
	}
	to := l.ends.At(i)
	if from == to {
		return codec.Postings{}, nil
	}
	return codec.ReadPostings(codec.NewReader(l.data[from:to]), l.docs)
}

// Count returns how many documents the i-th list has, without reading it.
func (l *Lists) Count(i int) (int, error) {
	from := int64(0)
	if i > 0 {
		from = l.ends.At(i - 1)
	}
	to := l.ends.At(i)
	if from == to {
		return 0, nil
	}
	r := codec.NewReader(l.data[from:to])
	n := r.Uvarint()
	return int(min(n, uint64(l.docs))), r.Err()
}

// Open reads a segment in place: b must stay as it is while the segment is in
// use. A *CorruptError says which section is damaged.
func Open(b []byte) (*Segment, error) { return open(b, "", false) }

// OpenLater is Open, but much of the file is verified and read when it is used
// first, or by Verify: anything that uses the segment may return a
// *CorruptError, which names the file. A file without the checksums for it is
// verified at once.
func OpenLater(b []byte, file string) (*Segment, error) { return open(b, file, true) }

func open(b []byte, file string, later bool) (*Segment, error) {
	list, check, err := readSections(b, later)
	if err != nil {
		return nil, err
	}
	s := &Segment{
		file: file, check: check,
		titles: list["titles"], postings: list["postings"], attrs: list["attrs"], lexicon: list["lexicon"], valwords: list["valwords"],
	}
	for _, name := range laterSections {
		if _, ok := list[name]; !ok {
			return nil, &CorruptError{Section: name, Cause: errMissing}
		}
	}
	for _, part := range []struct {
		name string
		read func(*codec.Reader) error
	}{
		{"meta", s.readMeta},
		{"skus", s.readSKUs},
		{"docs", s.readDocs},
		{"names", s.readNames},
		{"titleends", s.readTitles},
		{"attrnames", s.readAttrs},
		{"schema", s.readSchema},
		{"stores", s.readStores},
		{"sellers", s.readSellers},
		{"cats", s.readCats},
	} {
		data, ok := list[part.name]
		if !ok {
			return nil, &CorruptError{Section: part.name, Cause: errMissing}
		}
		if err := readPart(part.name, data, part.read); err != nil {
			return nil, err
		}
	}
	if check == nil {
		return s, errors.Join(s.LoadWords(), s.LoadValueWords())
	}
	return s, nil
}

var errMissing = errors.New("it is missing")

// readPart reads a section.
func readPart(section string, data []byte, read func(*codec.Reader) error) error {
	r := codec.NewReader(data)
	err := read(r)
	if err == nil {
		err = r.Err()
	}
	if err == nil && r.Len() > 0 {
		err = fmt.Errorf("%d bytes too many", r.Len())
	}
	if err != nil {
		return &CorruptError{Section: section, Cause: err}
	}
	return nil
}

var errSize = errors.New("sizes do not agree")

// ints reads arrays of the lengths given; -1 is any.
func ints(r *codec.Reader, list ...any) (err error) {
	for i := 0; i < len(list); i += 2 {
		var n int
		switch p := list[i].(type) {
		case *codec.Packed:
			if *p, err = codec.ReadPacked(r); err == nil {
				n = p.Len()
			}
		case *codec.Ints:
			if *p, err = codec.ReadInts(r); err == nil {
				n = p.Len()
			}
		}
		if err != nil {
			return err
		}
		if want := list[i+1].(int); want >= 0 && n != want {
			return errSize
		}
	}
	return nil
}

// array is codec.Ints or codec.Packed.
type array interface {
	Len() int
	At(i int) int64
	Within(lo, hi int64) bool
	Rising() bool
}

// within fails unless each array's values are at least 0 and below a limit.
func within(list ...any) error {
	for i := 0; i < len(list); i += 2 {
		if !list[i].(array).Within(0, int64(list[i+1].(int))) {
			return errSize
		}
	}
	return nil
}

// ends fails unless an array rises up to total.
func ends(p array, total int) error {
	n := p.Len()
	if !p.Rising() || n > 0 && (p.At(0) < 0 || p.At(n-1) != int64(total)) || n == 0 && total != 0 {
		return errSize
	}
	return nil
}

func (s *Segment) readMeta(r *codec.Reader) error {
	docs, rows := r.Uvarint(), r.Uvarint()
	if docs > math.MaxInt32 || rows > math.MaxInt32 || rows < docs {
		return errSize
	}
	s.Docs, s.Rows = int(docs), int(rows)
	return nil
}

func (s *Segment) readSKUs(r *codec.Reader) (err error) {
	if s.SKUs, err = codec.ReadDict(r); err != nil {
		return err
	}
	if err := ints(r, &s.DocSKU, s.Docs, &s.RowSKU, s.Rows, &s.bySKU, s.Rows, &s.folded, -1); err != nil {
		return err
	}
	if n := s.folded.Len(); n != 0 && n != s.SKUs.Len() {
		return errSize
	}
	if r.Len() > 0 { // since version 3
		if err := ints(r, &s.places, -1); err != nil {
			return err
		}
		if n := s.places.Len(); n != 0 && n != s.Docs {
			return errSize
		}
	}
	return within(&s.places, s.Docs, &s.DocSKU, s.SKUs.Len(), &s.RowSKU, s.SKUs.Len(), &s.bySKU, s.Rows, &s.folded, s.SKUs.Len())
}

func (s *Segment) readDocs(r *codec.Reader) (err error) {
	if err := ints(r, &s.First, s.Docs+1); err != nil {
		return err
	}
	if err := ends(&s.First, s.Rows); err != nil || s.First.At(0) != 0 {
		return errSize
	}
	for range r.Count(1) {
		s.views = append(s.views, r.String())
	}
	if err := ints(r, &s.View, s.Docs, &s.Flags, s.Docs, &s.Hash, s.Docs, &s.Created, s.Docs); err != nil {
		return err
	}
	if s.Complex, err = codec.ReadPostings(r, s.Docs); err != nil {
		return err
	}
	return within(&s.View, len(s.views), &s.Flags, 256)
}

func (s *Segment) readNames(r *codec.Reader) (err error) {
	if s.NameKeys, err = codec.ReadDict(r); err != nil {
		return err
	}
	if err := ints(r, &s.NameKey, s.Docs, &s.NameWords, s.Docs); err != nil {
		return err
	}
	return within(&s.NameKey, s.NameKeys.Len()+1)
}

func (s *Segment) readTitles(r *codec.Reader) error {
	if err := ints(r, &s.titleEnds, (s.Docs+titleBlock-1)/titleBlock); err != nil {
		return err
	}
	return ends(&s.titleEnds, len(s.titles))
}

func (s *Segment) readLexicon(r *codec.Reader) (err error) {
	if s.Lexicon, err = codec.ReadDict(r); err != nil {
		return err
	}
	n := s.Lexicon.Len()
	if err := ints(r, &s.termLens, n, &s.lexEnds, n, &s.Suggest, n); err != nil {
		return err
	}
	if s.stems, err = codec.ReadDict(r); err != nil {
		return err
	}
	if err := ints(r, &s.stemEnds, s.stems.Len(), &s.stemLex, -1); err != nil {
		return err
	}
	if err := ends(&s.lexEnds, len(s.postings)); err != nil {
		return err
	}
	if err := ends(&s.stemEnds, s.stemLex.Len()); err != nil {
		return err
	}
	return within(&s.stemLex, n)
}

func (s *Segment) readAttrs(r *codec.Reader) (err error) {
	if s.AttrNames, err = codec.ReadDict(r); err != nil {
		return err
	}
	if err := ints(r, &s.attrEnds, s.AttrNames.Len()); err != nil {
		return err
	}
	s.fields = make([]atomic.Pointer[Field], s.AttrNames.Len())
	s.names = make([]atomic.Pointer[string], s.AttrNames.Len())
	return ends(&s.attrEnds, len(s.attrs))
}

func (s *Segment) readSchema(r *codec.Reader) error {
	if err := ints(r, &s.node, s.Docs, &s.parent, -1, &s.nodeAttr, -1); err != nil {
		return err
	}
	n := s.parent.Len()
	if n == 0 || s.nodeAttr.Len() != n {
		return errSize
	}
	for i := 1; i < n; i++ { // up is always on: no walk goes round
		if s.parent.At(i) < 0 || s.parent.At(i) >= int64(i) {
			return errSize
		}
	}
	return within(&s.node, n, &s.nodeAttr, max(s.AttrNames.Len(), 1))
}

func (s *Segment) readLists(r *codec.Reader, n int) (Lists, error) {
	l := Lists{docs: s.Docs}
	if err := ints(r, &l.ends, n); err != nil {
		return l, err
	}
	l.data = r.Block()
	return l, ends(&l.ends, len(l.data))
}

func (s *Segment) readStores(r *codec.Reader) (err error) {
	if s.Stores, err = readField(r, s.Docs, s.Rows); err != nil {
		return err
	}
	for _, l := range []*Lists{&s.StoreAll, &s.Searched, &s.Browsed, &s.Shown} {
		if *l, err = s.readLists(r, s.Stores.Texts.Len()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Segment) readSellers(r *codec.Reader) (err error) {
	s.Sellers, err = readField(r, s.Docs, s.Rows)
	return err
}

func (s *Segment) readCats(r *codec.Reader) (err error) {
	if s.Cats, err = readField(r, s.Docs, s.Rows); err != nil {
		return err
	}
	if s.InCat, err = s.readLists(r, s.Cats.Texts.Len()); err != nil {
		return err
	}
	if err := ints(r, &s.posEnds, s.Cats.Texts.Len(), &s.posDocs, -1, &s.posNums, -1); err != nil {
		return err
	}
	if s.posDocs.Len() != s.posNums.Len() {
		return errSize
	}
	if err := ends(&s.posEnds, s.posDocs.Len()); err != nil {
		return err
	}
	return within(&s.posDocs, s.Docs)
}

func (s *Segment) readWords(r *codec.Reader) (err error) {
	if s.ValueWords, err = codec.ReadDict(r); err != nil {
		return err
	}
	if err := ints(r, &s.wordEnds, s.ValueWords.Len()+1, &s.wordAttr, -1, &s.wordText, -1); err != nil {
		return err
	}
	if s.wordAttr.Len() != s.wordText.Len() || s.wordEnds.At(0) != 0 {
		return errSize
	}
	if err := ends(&s.wordEnds, s.wordAttr.Len()); err != nil {
		return err
	}
	return within(&s.wordAttr, s.AttrNames.Len())
}
