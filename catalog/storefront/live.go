package storefront

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"catalog/catalog"
	"catalog/indexer"
)

// liveQuery is what both forms of asking for prices and stock come to.
type liveQuery struct {
	SKUs     []string `json:"skus"`
	Store    string   `json:"store"`
	Currency string   `json:"currency"`
	Website  string   `json:"website"`
	Group    string   `json:"group"`
	Lists    []string `json:"lists"`
	Quantity *float64 `json:"quantity"`
	At       string   `json:"at"`
}

// maxQuantity bounds the quantity that prices are asked for.
const maxQuantity = 1e9

// live answers with price and stock of SKUs.
func (s *Server) live(a *answer, r *request, price, stock bool) error {
	var q liveQuery
	where := "sku"
	if r.Method == http.MethodPost {
		where = "skus"
		if err := s.readJSON(r, &q); err != nil {
			return err
		}
	} else {
		p := r.q
		q = liveQuery{
			SKUs: p.all(make([]string, 0, len(p)), "sku"), Store: p.get("store"), Currency: p.get("currency"), Website: p.get("website"),
			Group: p.get("group"), Lists: p.all(nil, "list"), At: p.get("at"),
		}
		if text := p.get("quantity"); text != "" || p.has("quantity") {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return badRequest("quantity", "%q is no number", clip(text))
			}
			q.Quantity = &n
		}
	}
	skus, err := s.skusOf(q.SKUs, where)
	if err != nil {
		return err
	}
	l, err := s.newLiveAnswer(a, r, &q, price, stock)
	if err != nil {
		return err
	}
	if err := l.load(r.Context(), skus); err != nil {
		return err
	}
	b := append(a.body, `{"store":`...)
	b = appendString(b, l.view.Code)
	if price {
		if c := l.currency(); c != "" {
			b = appendField(b, "currency", c)
		}
	}
	b = append(b, `,"items":[`...)
	n := 0
	var missing []string
	for i, sku := range skus {
		if !l.has(i) {
			missing = append(missing, sku)
			continue
		}
		b = comma(b, n)
		n++
		b = l.item(b, i, sku)
	}
	b = appendStrings(append(b, `],"missing":`...), missing)
	a.body = append(b, '}')
	if a.life == LifeNone {
		a.life = LifePrice
	}
	return nil
}

// liveAnswer computes price and stock of SKUs for who asks.
type liveAnswer struct {
	s            *Server
	st           *shopState
	view         *indexer.StoreView
	asks         *indexer.Prepared
	looks        looks
	money        string // the currency asked for, if it is not the view's
	price, stock bool
	now          time.Time
	quantity     float64 // above 1, or 0

	usual bool   // now, and of a quantity of one
	asked uint16 // of what is said, on the board; 0: it is not to be remembered

	// By the place of the SKU; bodies are nil where there is none or it was not read.
	said                     [][]byte // to others who asked the same
	prices, stocks, products [][]byte
	plain                    []bool                 // nothing in the product's document matters
	known                    []*liveEntry           // price and stock of what is plain, if they are known
	variants                 map[string]variantLive // what variants have, by SKU
	versions                 []uint64               // of plainProducts, by the place of the SKU
	before                   *[plainShards]uint64   // the same of its shards, before variants were read
}

// variantLive are the bodies of a variant's records.
type variantLive struct {
	price, stock []byte
	gone         bool // it has a record of its own, and is disabled
}

func (s *Server) newLiveAnswer(a *answer, r *request, q *liveQuery, price, stock bool) (*liveAnswer, error) {
	st, err := s.shopNow(r.Context())
	if err != nil {
		return nil, err
	}
	var view *indexer.StoreView
	if q.Website != "" && q.Store == "" {
		for i, v := range st.Stores.All() {
			if v.Website == q.Website {
				view = &st.Stores.All()[i]
				break
			}
		}
		if view == nil {
			return nil, badRequest("website", "no store is in a website %q: /v1/stores lists them", clip(q.Website))
		}
	} else if view, err = s.storeOf(a, r, st, q.Store); err != nil {
		return nil, err
	}
	l := &liveAnswer{s: s, st: st, view: view, looks: looksOf(view, nil), price: price, stock: stock, money: st.otherCurrency(view, q.Currency), now: s.opts.Now()}
	if len(q.Currency) > 16 {
		return nil, badRequest("currency", "%q is no code of a currency, such as EUR", clip(q.Currency))
	}
	group, lists := "", []string(nil)
	if price {
		if group, lists, err = s.who(a, r, q.Group, q.Lists); err != nil {
			return nil, err
		}
	}
	if q.At != "" {
		a.life = LifePrivate
		if err := s.need(r.Request, RoleRead); err != nil {
			return nil, err
		}
		t, _, ok := indexer.ParseDate(q.At)
		if !ok {
			return nil, badRequest("at", "%q is no time: write it as 2026-12-24 or 2026-12-24T18:00:00Z", clip(q.At))
		}
		l.now = t
	}
	if q.Quantity != nil {
		n := *q.Quantity
		if !(n > 0) || n > maxQuantity {
			return nil, badRequest("quantity", "a quantity is above 0 and at most %g", float64(maxQuantity))
		}
		if n > 1 {
			l.quantity = n
		}
	}
	l.usual = q.At == "" && l.quantity == 0
	return l, l.askFor(group, lists)
}

// usualAnswer is of price and stock of now, for who is nobody in particular.
func (s *Server) usualAnswer(st *shopState, view *indexer.StoreView) (*liveAnswer, error) {
	l := &liveAnswer{s: s, st: st, view: view, looks: looksOf(view, nil), price: true, stock: true, now: s.opts.Now(), usual: true}
	return l, l.askFor("", nil)
}

// askFor says whose prices they are. What is usual, for who is nobody in
// particular, is remembered as it is said.
func (l *liveAnswer) askFor(group string, lists []string) (err error) {
	if l.usual && group == "" && len(lists) == 0 {
		l.asked = l.s.plain.asked(priceView{l.view.Code, l.money}, l.price, l.stock)
	}
	l.asks, err = l.st.asks(indexer.View{Store: l.view.Code, Currency: l.money, Group: group, Lists: lists})
	return err
}

// currency returns that of the answer.
func (l *liveAnswer) currency() string {
	if l.money != "" {
		return l.money
	}
	return l.view.Currency
}

// load reads the records of SKUs that are not known, and of the variants of
// those that have some.
func (l *liveAnswer) load(ctx context.Context, skus []string) error {
	n := len(skus)
	l.said = make([][]byte, n)
	off := l.s.plainOff.Load()
	var rest, unread []int
	for i, sku := range skus {
		ok, e, said, version := l.s.plain.has(sku, l.view.Code, l.asked, l.now)
		if off {
			ok, e, said = false, nil, nil
		}
		if said != nil {
			l.said[i] = said
			continue
		}
		if l.known == nil {
			l.known, l.plain, l.versions = make([]*liveEntry, n), make([]bool, n), make([]uint64, n)
			l.prices, l.stocks, l.products = make([][]byte, n), make([][]byte, n), make([][]byte, n)
		}
		l.plain[i], l.versions[i] = ok, version
		if e != nil && l.usual {
			l.known[i] = e
			continue
		}
		rest = append(rest, i)
		if !ok {
			unread = append(unread, i)
		}
	}
	if rest == nil {
		return nil
	}
	if err := l.read(ctx, catalog.KindPrice, l.prices, skus, rest, l.price); err != nil {
		return err
	}
	// Whether something is sold out decides on which variant is the cheapest
	// in a shop that hides what is sold out.
	if err := l.read(ctx, catalog.KindStock, l.stocks, skus, rest, l.stock || l.asks.InStockOnly); err != nil {
		return err
	}
	if err := l.read(ctx, catalog.KindProduct, l.products, skus, unread, true); err != nil {
		return err
	}
	var want []string
	for _, i := range unread {
		doc := l.products[i]
		if variants := indexer.VariantSKUs(doc); len(variants) > 0 {
			want = append(want, variants...)
		} else if l.looks.shown(doc) && !off {
			l.plain[i] = true
			l.s.plain.add(skus[i], l.view.Code, nil, l.versions[i])
		}
	}
	for _, i := range rest {
		if !l.plain[i] || !l.price || !l.stock || !l.usual {
			continue
		}
		live := l.st.mapper.Live(l.prices[i], l.stocks[i], l.now)
		l.known[i] = newLiveEntry(skus[i], live, l.prices[i], l.stocks[i])
		// What most ask is remembered as it is said. A product has room for one
		// such text in a store view: those who ask in several currencies, or for
		// groups, need the records again.
		if l.asked == 0 || l.money != "" {
			l.s.plain.add(skus[i], l.view.Code, l.known[i], l.versions[i])
		}
	}
	if len(want) == 0 {
		return nil
	}
	return l.loadVariants(ctx, want)
}

// read reads the bodies of records of some of the SKUs, if they are wanted.
func (l *liveAnswer) read(ctx context.Context, kind catalog.Kind, into [][]byte, skus []string, some []int, wanted bool) error {
	if !wanted || len(some) == 0 {
		return nil
	}
	names := make([]string, len(some))
	for j, i := range some {
		names[j] = skus[i]
	}
	records, err := l.s.records(ctx, kind, names)
	if err != nil {
		return err
	}
	for j, i := range some {
		into[i] = records[j].Body
	}
	return nil
}

func (l *liveAnswer) loadVariants(ctx context.Context, skus []string) error {
	l.variants = make(map[string]variantLive, len(skus))
	l.before = l.s.plain.versions()
	prices, err := l.s.records(ctx, catalog.KindPrice, skus)
	if err != nil {
		return err
	}
	stocks, err := l.s.records(ctx, catalog.KindStock, skus)
	if err != nil {
		return err
	}
	products, err := l.s.records(ctx, catalog.KindProduct, skus)
	if err != nil {
		return err
	}
	for i, sku := range skus {
		l.variants[sku] = variantLive{prices[i].Body, stocks[i].Body, products[i].Exists() && !l.looks.shown(products[i].Body)}
	}
	return nil
}

// has reports whether there is anything to say of a SKU.
func (l *liveAnswer) has(i int) bool {
	if l.said[i] != nil || l.known[i] != nil || l.plain[i] {
		return true
	}
	if doc := l.products[i]; doc != nil {
		return l.looks.shown(doc)
	}
	return l.prices[i] != nil || l.stocks[i] != nil
}
