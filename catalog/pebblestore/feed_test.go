package pebblestore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"catalog/catalog"
)

// testFeed makes the writes of a feed of products with their prices and
// stock, in shuffled order of SKUs: about 1.2 kB, 150 and 80 bytes each, of
// text that compresses about as that of shops does.
type testFeed struct {
	n     int
	words []string
	buf   []byte
}

func newTestFeed(n int) *testFeed {
	rnd := rand.New(rand.NewPCG(1, 2))
	f := &testFeed{n: n, words: make([]string, 6000)}
	for i := range f.words {
		w := make([]byte, 2+rnd.IntN(9))
		for j := range w {
			w[j] = "etaoinshrdlucmfwypvbgkjqxz"[min(rnd.IntN(26), rnd.IntN(26))]
		}
		f.words[i] = string(w)
	}
	return f
}

// sku is that of the i-th record: each exactly once, in no order.
func (f *testFeed) sku(i int) catalog.Key {
	m := 1
	for m < f.n {
		m <<= 1
	}
	x := i
	for { // walks a permutation of 0…m-1 until it is back below n
		x = (x*0x2545f491 + 0x3779b1) & (m - 1)
		x ^= x >> 7 & (m - 1)
		x = (x * 0x5bd1e995) & (m - 1)
		if x < f.n {
			return catalog.Key(fmt.Sprintf("SKU-%08d", x))
		}
	}
}

// writes appends the writes of records from to to, of generation gen: another
// one changes the texts. They are valid until the next call.
func (f *testFeed) writes(w []catalog.Write, from, to, gen int) []catalog.Write {
	f.buf = slices.Grow(f.buf[:0], (to-from)*1800)
	for i := from; i < to; i++ {
		sku := f.sku(i)
		rnd := rand.New(rand.NewPCG(uint64(i), uint64(gen)))
		body := f.cut(func() { f.product(rnd, sku) })
		url := "product-" + f.words[rnd.IntN(600)] + "-" + string(sku[4:])
		refs := []catalog.Ref{{Type: catalog.RefURLKey, Value: url}}
		if i%4 == 0 {
			refs = append(refs, catalog.Ref{Type: catalog.RefVariant, Value: string(sku) + "-XL"})
		}
		w = append(w, catalog.Write{Kind: catalog.KindProduct, Key: sku, Body: body, Hash: catalog.HashOf(body), Source: "feed", Refs: refs})
		f.priceStock(&w, rnd, sku)
		if i%5 == 0 {
			f.priceStock(&w, rnd, sku+"-XL")
		}
	}
	return w
}

func (f *testFeed) priceStock(w *[]catalog.Write, rnd *rand.Rand, sku catalog.Key) {
	price := f.cut(func() {
		p := 100 + rnd.IntN(50000)
		f.buf = fmt.Appendf(f.buf, `{"sku":%q,"prices":[{"currency":"EUR","price":%d.%02d,"tiers":[{"qty":10,"price":%d.%02d},{"qty":50,"price":%d.90}]}]}`,
			sku, p, rnd.IntN(100), p*9/10, rnd.IntN(100), p*8/10)
	})
	stock := f.cut(func() {
		f.buf = fmt.Appendf(f.buf, `{"sku":%q,"qty":%d,"in_stock":true,"manage":true,"min_qty":1}`, sku, rnd.IntN(1000))
	})
	*w = append(*w,
		catalog.Write{Kind: catalog.KindPrice, Key: sku, Body: price, Hash: catalog.HashOf(price), Source: "feed"},
		catalog.Write{Kind: catalog.KindStock, Key: sku, Body: stock, Hash: catalog.HashOf(stock), Source: "feed"})
}

func (f *testFeed) cut(write func()) []byte {
	start := len(f.buf)
	write()
	return f.buf[start:len(f.buf):len(f.buf)]
}

func (f *testFeed) product(rnd *rand.Rand, sku catalog.Key) {
	// Ten neighbours are variants of one thing and share most words.
	family := rand.New(rand.NewPCG(3, uint64(sku[10])<<24|uint64(sku[9])<<16|uint64(sku[8])<<8|uint64(sku[7])))
	text := func(before string, n int) {
		f.buf = append(f.buf, before...)
		for i := range n {
			if i > 0 {
				f.buf = append(f.buf, ' ')
			}
			common, own := f.word(family), f.word(rnd)
			if rnd.IntN(5) < 2 {
				common = own
			}
			f.buf = append(f.buf, common...)
		}
	}
	f.buf = append(f.buf, `{"sku":"`...)
	f.buf = append(f.buf, sku...)
	f.buf = append(f.buf, `","type":"simple","status":"enabled","visibility":"catalog_search","name":"`...)
	text("", 5)
	text(`","brand":"`, 1)
	text(`","categories":["Men/Shoes/`, 1)
	text(`"],"attributes":{"colour":"`, 1)
	for i := range 8 {
		f.buf = append(f.buf, `","attribute_`...)
		f.buf = strconv.AppendInt(f.buf, int64(i+family.IntN(4)*10), 10)
		text(`":"`, 1)
	}
	f.buf = append(f.buf, `"},"images":["/media/catalog/`...)
	f.buf = append(f.buf, sku...)
	f.buf = append(f.buf, `_1.jpg","/media/catalog/`...)
	f.buf = append(f.buf, sku...)
	text(`_2.jpg"],"short_description":"`, 12)
	text(`","description":"<p>`, 68)
	f.buf = append(f.buf, `</p>","weight":`...)
	f.buf = strconv.AppendInt(f.buf, int64(rnd.IntN(100)), 10)
	f.buf = append(f.buf, `,"tax_class":"Taxable Goods","websites":["base"]}`...)
}

// word is one of the feed's words; some are far more frequent than others.
func (f *testFeed) word(rnd *rand.Rand) string {
	return f.words[int(float64(len(f.words))*rnd.Float64()*rnd.Float64()*rnd.Float64())]
}
