package window_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"catalog/catalog"
)

// TestWalk walks through the shop as customers do, in a real browser.
func TestWalk(t *testing.T) {
	s := newShop(t, 600)
	b := newTab(t, s)
	b.size(1280, 900, "light")
	for _, step := range []struct {
		name string
		do   func(b *tab)
	}{
		{"browse", browse},
		{"facets", facets},
		{"prices move nothing", prices},
		{"search with a typo", typo},
		{"a product with variants", variants},
		{"any SKU", anySKU},
		{"store and group", switches},
		{"a page of others", others},
		{"keyboard alone", keyboard},
		{"status", status},
		{"phone", phone},
		{"dark", dark},
		{"nothing found", nothing},
	} {
		t.Run(step.name, func(t *testing.T) {
			b.T = t
			step.do(b)
			b.quiet()
		})
	}
}

func browse(b *tab) {
	b.open("/")
	b.settle()
	b.want("document.title", "Fjordlin")
	b.calm("while the first page came", 0.1)
	b.named("first page")
	b.contrast("first page")
	b.picture("home")
	b.click("#menu a[href='/c/Kitchen']")
	b.wait("document.querySelector('h1')?.textContent === 'Kitchen'")
	b.settle()
	b.want("location.pathname", "/c/Kitchen")
	b.want("document.title", "Kitchen · Fjordlin")
	b.want("document.activeElement.nodeName", "H1")
	b.want("document.querySelector('#menu [aria-current]').textContent", "Kitchen")
	if n := value[int](b, "document.querySelectorAll('.card').length"); n != 24 {
		b.Errorf("the page has %d cards", n)
	}
	if empty := value[int](b, "[...document.querySelectorAll('.card')].filter((c) => !/\\d/.test(c.querySelector('.price').textContent)).length"); empty > 2 {
		b.Errorf("%d of the cards have no price", empty)
	}
	b.named("category")
	b.contrast("category")
	b.picture("category")

	first := value[string](b, "document.querySelector('.card .name').textContent")
	b.click(".paging a[rel=next]")
	b.wait("new URLSearchParams(location.search).get('page') === '2' && document.querySelector('.card .name')?.textContent !== " + quote(first))
	b.settle()
	b.want("scrollY", "0")

	// A product, and back: the page and the place in it are as they were.
	b.do(chromedp.ScrollIntoView(chromedp.CSS(".card:nth-child(9) .cover")))
	value[bool](b, "scrollTo(0, 400), new Promise((done) => setTimeout(() => done(true), 100))")
	b.do(chromedp.Evaluate[chromedp.Void]("void document.querySelector('.card:nth-child(9) .cover').click()"))
	b.wait("location.pathname.startsWith('/p') && document.querySelector('.buy h1')")
	b.settle()
	b.do(chromedp.Evaluate[chromedp.Void]("void history.back()"))
	b.wait("document.querySelectorAll('.card').length > 20 && scrollY === 400")
	b.want("new URLSearchParams(location.search).get('page')", "2")
	b.do(chromedp.Evaluate[chromedp.Void]("void history.go(-1)"))
	b.wait("location.search === '' && document.querySelector('.card .name').textContent === " + quote(first))
}

func facets(b *tab) {
	b.open("/c/Kitchen")
	b.settle()
	all := value[int](b, "parseInt(document.querySelector('.total').textContent)")
	box := "[...document.querySelectorAll('.facet')].find((f) => f.querySelector('summary').textContent.startsWith('Color')).querySelectorAll('input')"
	b.wait(box + "[1]")
	id := value[string](b, box+"[0].id")
	b.click("#" + id)
	b.wait("location.search.includes('filter=color') && !document.querySelector('main[aria-busy]')")
	b.settle()
	b.want("document.activeElement.id", id)
	one := value[int](b, "parseInt(document.querySelector('.total').textContent)")
	second := value[string](b, box+"[1].id")
	b.click("#" + second)
	b.wait("location.search.includes('%2C') && document.querySelectorAll('.chip').length === 3")
	b.settle()
	two := value[int](b, "parseInt(document.querySelector('.total').textContent)")
	if one >= all || two <= one || two > all {
		b.Errorf("%d products, %d of one colour, %d of two", all, one, two)
	}
	b.calm("while facets were chosen", 0.1)

	// The address alone brings the same page; a range of one's own joins in.
	b.do(chromedp.Reload())
	b.settle()
	b.want("parseInt(document.querySelector('.total').textContent)", value[string](b, "String("+box+"[0].checked && "+box+"[1].checked ? "+itoa(two)+" : -1)"))
	b.do(chromedp.SendKeys(chromedp.CSS("#facet-price-to"), "20"+kb.Enter))
	b.wait("location.search.includes('price%3D..20') && document.querySelectorAll('.chip').length === 4")
	b.settle()
	if bad := value[[]string](b, "[...document.querySelectorAll('.card .price')].map((p) => p.textContent).filter((t) => parseFloat(t.replace(/[^\\d.]/g, '')) > 20)"); len(bad) > 0 {
		b.Errorf("prices above 20: %v", bad)
	}
	b.want("document.querySelector('#facet-price-to').value", "20")
	b.picture("facets")

	b.do(chromedp.Evaluate[chromedp.Void]("void (document.querySelector('#sort').value = '-price', document.querySelector('#sort').dispatchEvent(new Event('change')))"))
	b.wait("location.search.includes('sort=-price')")
	b.settle()
	prices := value[[]float64](b, "[...document.querySelectorAll('.card .price')].map((p) => parseFloat(p.textContent.replace(/[^\\d.]/g, ''))).filter((n) => n)")
	for i := 1; i < len(prices); i++ {
		if prices[i] > prices[i-1] {
			b.Errorf("sorted by price, highest first: %v", prices)
			break
		}
	}
	b.click(".chip.clear")
	b.wait("!location.search.includes('filter') && !document.querySelector('.chip')")
	b.settle()
	b.want("parseInt(document.querySelector('.total').textContent)", itoa(all))
}

// prices holds prices back until the page stands, and lets them come.
func prices(b *tab) {
	b.cache(false)
	defer b.cache(true)
	for _, path := range []string{"/c/Kitchen", "/p?sku=RO%2F1", "/p/B2B-1"} {
		release := b.shop.hold()
		b.Cleanup(release)
		b.open(path)
		b.wait("document.querySelector('[data-catalog-state=pending]') && document.fonts.status === 'loaded'")
		value[bool](b, "new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(true)), 150))")
		b.calm("while "+path+" came", 0.1)
		b.picture("waiting" + strings.ReplaceAll(strings.SplitN(path, "?", 2)[0], "/", "-"))
		release()
		b.settle()
		value[bool](b, "new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(true)), 150))")
		b.calm("when prices came to "+path, 0)
		if n := value[int](b, "[...document.querySelectorAll('.price')].filter((p) => /\\d/.test(p.textContent)).length"); n == 0 {
			b.Errorf("%s has no price", path)
		}
	}
	// All cards of a page are asked for at once.
	b.open("/c/Office")
	b.settle()
	if n := value[int](b, "performance.getEntriesByType('resource').filter((e) => e.name.includes('/v1/live')).length"); n != 1 {
		b.Errorf("a category page made %d calls for prices", n)
	}
}

func typo(b *tab) {
	b.open("/")
	b.settle()
	b.do(chromedp.SendKeys(chromedp.CSS("#q"), "caserole"+kb.Enter))
	b.wait("location.pathname === '/search' && document.querySelector('.correction')")
	b.settle()
	if text := value[string](b, "document.querySelector('.correction').textContent"); !strings.Contains(strings.ToLower(text), "casserole") {
		b.Errorf("the correction says %q", text)
	}
	if n := value[int](b, "[...document.querySelectorAll('.card .name')].filter((c) => /casserole/i.test(c.textContent)).length"); n < 3 {
		b.Errorf("%d casseroles were found", n)
	}
	b.picture("typo")
	b.click(".correction a")
	b.wait("new URLSearchParams(location.search).get('q') === 'casserole' && !document.querySelector('.correction')")
	b.settle()
	b.want("document.querySelector('#q').value", "casserole")
}

func variants(b *tab) {
	b.open("/p?sku=RO%2F1")
	b.settle()
	if text := value[string](b, "document.querySelector('.live.large .price').textContent"); !strings.HasPrefix(text, "from €") {
		b.Errorf("the price of all variants is %q", text)
	}
	b.named("product")
	b.contrast("product")
	b.picture("product")
	pick := func(text string) {
		b.Helper()
		b.do(chromedp.Evaluate[chromedp.Void]("void [...document.querySelectorAll('.options label')].find((l) => l.textContent === " + quote(text) + ").click()"))
	}
	pick("Türkis")
	pick("M")
	b.wait("document.querySelector('.live.large').dataset.catalogSku === 'RO/1-TRK-M' && document.querySelector('.live.large').dataset.catalogState === 'ready'")
	b.settle()
	b.want("document.querySelector('.live.large .price').textContent", "€96.50")
	b.want("document.querySelector('.tiers').textContent", "10 or more: €91.67 · 50 or more: €86.85")
	b.want("new URLSearchParams(location.search).get('variant')", "RO/1-TRK-M")
	b.calm("while a variant was chosen", 0)
	b.do(chromedp.Reload())
	b.settle()
	b.want("document.querySelectorAll('.options :checked').length", "2")
	b.want("document.querySelector('.live.large .price').textContent", "€96.50")
	b.click(".all summary")
	b.wait("document.querySelectorAll('.all tbody tr').length === 6 && !document.querySelector('[data-catalog-state=pending]')")

	// Variants that are products of their own.
	b.open("/p/SH-200")
	b.settle()
	b.want("[...document.querySelectorAll('.options label')].map((l) => l.textContent)", "42,43")
}

func anySKU(b *tab) {
	for _, sku := range []string{"a/b/c 12,5", `15" Rack \ "Pro"`, "Ünï-Straße-ß", "🎁-GIFT", "a.b%2Fc?d=e&f#g+h", "日本-001"} {
		b.open("/p?sku=" + url.QueryEscape(sku))
		b.settle()
		b.want("document.querySelector('.sku code')?.textContent", sku)
		b.want("document.querySelector('.live.large').dataset.catalogState", "ready")
	}
	b.open("/c/" + url.PathEscape(`Audio\/Video/Cables`))
	b.settle()
	b.want("document.querySelector('h1').textContent", "Cables")
	b.click(".card .cover")
	b.wait("document.querySelector('.sku code')?.textContent === 'a/b/c 12,5'")
	b.settle()
	b.click(".crumbs li:nth-child(2) a")
	b.wait("document.querySelector('h1').textContent === 'Audio/Video'")
	b.settle()
}

func switches(b *tab) {
	b.open("/p/MH-100")
	b.settle()
	b.want("document.querySelector('h1').textContent", "Hoodie Ålesund")
	b.do(chromedp.SetValue(chromedp.CSS("#store"), "de"))
	b.do(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#store').dispatchEvent(new Event('change'))"))
	b.wait("document.querySelector('h1')?.textContent === 'Kapuzenpullover Ålesund'")
	b.settle()
	// The window's own words follow the store view's language; without a reload.
	b.want("document.documentElement.lang", "de")
	b.want("document.querySelector('.live.large [data-catalog-stock]').textContent", "Lieferbar")
	b.want("document.querySelector('#q').placeholder", "Produkte suchen")
	b.want("document.querySelector('.crumbs a').textContent", "Start")
	b.want("/^(ab )?\\d+,\\d\\d\\s€$/.test(document.querySelector('.live.large .price').textContent)", "true")
	b.wait("[...document.querySelectorAll('#menu a')].every((a) => a.search.includes('store=de'))")
	b.open("/search?q=hoodie&store=de")
	b.settle()
	b.want("document.querySelector('.head .total').textContent.replace(/[\\d.]+/, 'n')", "n Produkt")
	b.picture("german")
	b.open("/p/B2B-1?group=wholesale")
	b.settle()
	b.want("document.querySelector('.live.large .price').textContent", "€15.00")
	b.want("document.querySelector('.tiers b:last-child').textContent", "€14.905")
	b.want("document.querySelector('#group').value", "wholesale")
}

// others shows a page that is not the window's, with more SKUs than one call takes.
func others(b *tab) {
	var page strings.Builder
	page.WriteString(`<!doctype html><html lang="en"><title>Other</title><link rel="icon" href="data:,"><main><h1>Other</h1>`)
	for i := range 100 {
		page.WriteString(`<p data-catalog-sku="none-` + itoa(i) + `"><span data-catalog-price></span></p>`)
	}
	page.WriteString(`<p id="one" data-catalog-sku="TS-BLUE"><span data-catalog-price></span><s data-catalog-regular hidden></s><i data-catalog-stock></i></p>
		<p id="odd" data-catalog-sku="a/b/c 12,5"><span data-catalog-price></span></p></main>
		<script src="/assets/price-stock.js" defer data-locale="de" data-out-of-stock="Ausverkauft"></script>`)
	b.shop.other.Store(page.String())
	b.open("/other")
	b.settle()
	b.want("document.querySelector('#one [data-catalog-price]').textContent.replace(/\\s/, ' ')", "9,99 €")
	b.want("document.querySelector('#one [data-catalog-regular]').textContent.replace(/\\s/, ' ')", "12,50 €")
	b.want("document.querySelector('#one [data-catalog-stock]').textContent", "Ausverkauft")
	b.want("document.querySelector('#one').dataset.catalogInStock", "false")
	b.want("document.querySelector('#odd [data-catalog-price]').textContent.replace(/\\s/, ' ')", "3,00 €")
	b.want("document.querySelectorAll('[data-catalog-state=missing]').length", "100")
	const calls = "performance.getEntriesByType('resource').filter((e) => e.name.includes('/v1/live')).length"
	b.want(calls, "2")

	// What is added later is filled, too; what is known already without a call.
	value[bool](b, `(document.querySelector('main').insertAdjacentHTML('beforeend',
		'<p id="two" data-catalog-sku="TS-BLUE"><span data-catalog-price></span></p><p id="new" data-catalog-sku="TS-RED"><span data-catalog-price></span></p>'), true)`)
	b.wait("/12,50/.test(document.querySelector('#new [data-catalog-price]').textContent)")
	b.want("document.querySelector('#two [data-catalog-price]').textContent.replace(/\\s/, ' ')", "9,99 €")
	b.want(calls, "3")

	// For somebody else, and with an event for each element.
	value[bool](b, `(window.filled = [], addEventListener('catalog:filled', (e) => filled.push(e.detail.sku)), catalogLive.configure({group: 'wholesale'}), true)`)
	b.wait("filled.includes('TS-RED') && filled.length === 104")
	b.wait("performance.getEntriesByType('resource').some((e) => e.name.includes('group=wholesale'))")
}

func keyboard(b *tab) {
	b.open("/")
	b.settle()
	focused := func() string {
		return value[string](b, "((e) => e.id || e.className || e.nodeName)(document.activeElement)")
	}
	visible := func(where string) {
		b.Helper()
		b.want("getComputedStyle(document.activeElement).outlineStyle", "solid")
		if b.Failed() {
			b.Fatalf("the focus cannot be seen at %s (%s)", where, focused())
		}
	}
	b.keys(kb.Tab)
	b.want("document.activeElement.className", "skip")
	b.want("document.activeElement.getBoundingClientRect().top >= 0", "true")
	b.keys(kb.Tab)
	visible("the shop's name")
	b.keys(kb.Tab)
	b.want("document.activeElement.id", "q")
	visible("the search field")

	// Suggestions: down, down, back by escape, down, and enter.
	b.keys("cass")
	b.wait("document.querySelector('#suggestions [role=option]') && document.querySelector('#q').getAttribute('aria-expanded') === 'true'")
	b.named("suggestions")
	b.contrast("suggestions")
	b.keys(kb.ArrowDown)
	b.want("document.querySelector('#suggestions [aria-selected=true]').id", "suggest-0")
	b.want("document.querySelector('#q').getAttribute('aria-activedescendant')", "suggest-0")
	b.picture("suggestions")
	b.keys(kb.ArrowDown)
	b.want("document.querySelectorAll('#suggestions [aria-selected=true]').length", "1")
	b.keys(kb.Escape)
	b.want("document.querySelector('#suggestions').hidden + document.querySelector('#q').value", "truecass")
	b.keys("erole")
	b.wait("!document.querySelector('#suggestions').hidden")
	b.keys(kb.Enter)
	b.wait("location.search === '?q=casserole' && document.querySelectorAll('.card').length")
	b.settle()
	b.want("document.activeElement.nodeName", "H1")

	// To the first check box, and on it.
	for i := 0; value[string](b, "String(document.activeElement.type)") != "checkbox"; i++ {
		if i > 30 {
			b.Fatalf("no check box in 30 steps; the focus is on %s", focused())
		}
		b.keys(kb.Tab)
		visible("step " + itoa(i))
	}
	id := value[string](b, "document.activeElement.id")
	b.keys(" ")
	b.wait("location.search.includes('filter=') && !document.querySelector('main[aria-busy]')")
	b.settle()
	b.want("document.activeElement.id", id)

	// Out of the filters and into a product.
	for i := 0; !value[bool](b, "document.activeElement.matches('.card .cover')"); i++ {
		if i > 120 {
			b.Fatalf("no card in 120 steps; the focus is on %s", focused())
		}
		b.keys(kb.Tab)
	}
	visible("a card")
	b.keys(kb.Enter)
	b.wait("location.pathname.startsWith('/p') && document.querySelector('.buy h1') === document.activeElement")
	b.settle()
}

func status(b *tab) {
	b.open("/status")
	b.wait("document.querySelector('.pulse[data-state=live]') && document.querySelector('.figures')")
	records := "[...document.querySelectorAll('.figures div')].find((d) => d.querySelector('dt').textContent === 'Products').querySelector('dd').textContent"
	before := value[string](b, records)
	put(b, b.shop.store, catalog.KindProduct, []byte(`{"sku":"NEW-1","name":"Just arrived"}`))
	b.wait(records + " !== " + quote(before))
	b.want("document.querySelector('progress').value / document.querySelector('progress').max", "0.3")
	b.want("document.querySelector('.pill').textContent + document.querySelector('.pill').dataset.state", "rejectsfair")
	b.click(".report summary")
	b.wait("document.querySelector('.report[open] td')?.checkVisibility()")
	b.wait("[...document.querySelectorAll('.ranking a')].some((a) => a.textContent === 'caserole')")
	b.want("[...document.querySelectorAll('.panel')].some((p) => p.textContent === 'PlaceholdersLive12')", "true")
	b.named("status")
	b.contrast("status")
	b.picture("status")
}

func phone(b *tab) {
	b.size(390, 844, "light")
	defer b.size(1280, 900, "light")
	for _, path := range []string{"/", "/c/Kitchen?filter=color%3DWhite%2CSilver", "/p?sku=RO%2F1&variant=RO%2F1-TRK-M", "/status"} {
		b.open(path)
		if path == "/status" {
			b.wait("document.querySelector('.figures')")
		} else {
			b.settle()
		}
		if w := value[int](b, "document.documentElement.scrollWidth"); w > 390 {
			b.Errorf("%s is %d wide on a phone", path, w)
		}
		if small := value[[]string](b, "[...document.querySelectorAll('button, select, input[type=search]')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 24).map((e) => e.className + e.id)"); len(small) > 0 {
			b.Errorf("%s has targets that are too small: %v", path, small)
		}
		b.picture("phone" + strings.ReplaceAll(strings.SplitN(path, "?", 2)[0], "/", "-"))
	}
	b.open("/c/Kitchen")
	b.settle()
	b.want("document.querySelector('#filters').checkVisibility()", "false")
	b.click("#filter-toggle")
	b.want("document.querySelector('#filters').checkVisibility() + document.querySelector('#filter-toggle').ariaExpanded", "truetrue")
	b.picture("phone-filters")
	b.click("#filters input[type=checkbox]")
	b.wait("location.search.includes('filter') && !document.querySelector('main[aria-busy]')")
	b.settle()
	b.want("document.querySelector('#filters').checkVisibility()", "true") // it stays open
	b.click(".done")
	b.want("document.querySelector('#filters').checkVisibility()", "false")
}

func dark(b *tab) {
	b.size(1280, 900, "dark")
	defer b.size(1280, 900, "light")
	for _, path := range []string{"/", "/c/Kitchen?filter=color%3DWhite", "/p?sku=RO%2F1&variant=RO%2F1-TRK-M", "/search?q=nothing-like-this-at-all"} {
		b.open(path)
		b.settle()
		b.want("getComputedStyle(document.documentElement).backgroundColor", "rgb(21, 20, 19)")
		b.contrast("dark " + path)
		b.picture("dark" + strings.ReplaceAll(strings.SplitN(path, "?", 2)[0], "/", "-"))
	}
}

func nothing(b *tab) {
	b.open("/search?q=xyzzyxyzzy")
	b.settle()
	b.want("document.querySelector('.notice h2').textContent.includes('xyzzyxyzzy')", "true")
	b.open("/c/Kitchen?filter=color%3DNone")
	b.settle()
	b.click(".notice button")
	b.wait("!location.search && document.querySelectorAll('.card').length === 24")
	b.open("/p/nobody/has/this")
	b.wait("document.querySelector('.notice.fault')")
	b.want("document.title", "Not found · Fjordlin")
	// That a call answered 404 the browser writes to the console by itself.
	b.mu.Lock()
	b.messages = nil
	b.mu.Unlock()
}
