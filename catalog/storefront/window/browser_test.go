package window_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"catalog/fixtures/servertest"
)

const (
	envBrowser = "CATALOG_TEST_CHROMIUM"           // path of the browser
	envShots   = "CATALOG_TEST_WINDOW_SCREENSHOTS" // folder for pictures of what was seen
)

// tab is a browser's tab, and what is wrong with what it showed.
type tab struct {
	*testing.T
	ctx  context.Context
	shop *shop

	mu       sync.Mutex
	messages []string // errors and warnings of the console
}

// patience is how long a tab waits for what must come.
const patience = 10 * time.Second

func newTab(t *testing.T, s *shop) *tab {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser(t)), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900), chromedp.DisableGPU)
	if os.Getuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, closeBrowser := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(closeBrowser)
	ctx, closeTab := chromedp.NewContext(ctx)
	b := &tab{T: t, ctx: ctx, shop: s}
	console := chromedp.Console(ctx)
	var reading sync.WaitGroup
	reading.Go(func() {
		for m, err := range console {
			if err != nil {
				return
			}
			if m.Type == "error" || m.Type == "warning" || m.IsException() || m.Type == "assert" {
				b.mu.Lock()
				b.messages = append(b.messages, fmt.Sprintf("%s: %s (%s)", m.Type, m.Text, m.URL))
				b.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		closeTab()
		reading.Wait()
	})
	// Shifts are written down from the first frame on.
	const watch = `window.shifts = [];
		new PerformanceObserver((list) => {
			for (const e of list.getEntries()) if (!e.hadRecentInput) shifts.push({value: e.value, what: e.sources.map((s) => (s.node?.className ?? '') + ' ' + (s.node?.nodeName ?? '')).join()});
		}).observe({type: 'layout-shift', buffered: true});`
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch}); err != nil {
		t.Fatal(err)
	}
	return b
}

func browser(t *testing.T) string {
	t.Helper()
	servertest.Need(t, servertest.Chromium)
	if name := os.Getenv(envBrowser); name != "" {
		servertest.Uses(t, servertest.Chromium, name)
		return name
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			servertest.Uses(t, servertest.Chromium, p)
			return p
		}
	}
	t.Fatalf("no browser: apt-get install chromium, or name one by %s, or skip these tests by %s=%s", envBrowser, servertest.EnvSkip, servertest.Chromium)
	return ""
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

// open goes to an address by itself, as whoever types it.
func (b *tab) open(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.shop.URL + path))
}

// value returns what an expression of the page is.
func value[T any](b *tab, expression string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until an expression of the page is true.
func (b *tab) wait(expression string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		v, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && v {
			return
		}
		select {
		case <-ctx.Done():
			where, _ := chromedp.Run(b.ctx, chromedp.Location())
			text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.querySelector('main').innerText.slice(0, 600)"))
			b.picture("failed")
			b.Fatalf("waited for %s at %s (%v), which shows\n%s", expression, where, err, text)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// settle waits until prices are there, and the page was painted with them.
func (b *tab) settle() {
	b.Helper()
	b.wait("document.readyState === 'complete' && !document.querySelector('main [aria-busy], main .waiting, [data-catalog-state=pending], [data-catalog-sku]:not([data-catalog-state])') && document.querySelector('main h1')")
	value[bool](b, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
}

// click clicks what a selector finds first, as a mouse does.
func (b *tab) click(selector string) {
	b.Helper()
	b.wait("document.querySelector(" + quote(selector) + ")")
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// keys presses keys.
func (b *tab) keys(keys string) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys))
}

func (b *tab) want(expression, want string) {
	b.Helper()
	if got := value[string](b, "String("+expression+")"); got != want {
		b.Errorf("%s is %q, not %q", expression, got, want)
	}
}

// size makes the window so large; scheme is light or dark.
func (b *tab) size(width, height int64, scheme string) {
	b.Helper()
	b.do(chromedp.EmulateViewport(width, height))
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	if err != nil {
		b.Fatal(err)
	}
}

// cache says whether the browser may keep what it has fetched.
func (b *tab) cache(on bool) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: !on}); err != nil {
		b.Fatal(err)
	}
}

// picture keeps what the tab shows, if there is a place for it.
func (b *tab) picture(name string) {
	b.Helper()
	dir := os.Getenv(envShots)
	if dir == "" {
		return
	}
	img, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), img, 0o644)
	}
	if err != nil {
		b.Error(err)
	}
}

// calm checks that nothing has moved by itself since the page was loaded, or
// calm was called.
func (b *tab) calm(when string, most float64) {
	b.Helper()
	moved := value[[]struct {
		Value float64
		What  string
	}](b, "shifts.splice(0)")
	sum := 0.0
	for _, m := range moved {
		sum += m.Value
	}
	if sum > most {
		b.Errorf("%s, the layout shifted by %.4f: %v", when, sum, moved)
	}
}

// roles are those of elements that must have a name.
var roles = map[string]bool{
	"button": true, "link": true, "checkbox": true, "radio": true, "combobox": true, "searchbox": true, "textbox": true,
	"spinbutton": true, "listbox": true, "option": true, "navigation": true, "region": true, "group": false, "main": false,
}

// named checks that whoever does not see the page is told what is what.
func (b *tab) named(where string) {
	b.Helper()
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		b.Fatal(err)
	}
	seen := 0
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		if role := strings.Trim(string(n.Role.Value), `"`); roles[role] {
			seen++
			if n.Name == nil || strings.Trim(string(n.Name.Value), `" `) == "" {
				b.Errorf("%s: a %s has no name (node %d)", where, role, n.BackendDOMNodeID)
			}
		}
	}
	if seen < 10 {
		b.Errorf("%s: only %d elements have a role", where, seen)
	}
	b.want("document.querySelectorAll('h1').length", "1")
	if dup := value[[]string](b, "[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i)"); len(dup) > 0 {
		b.Errorf("%s: ids that are there twice: %v", where, dup)
	}
}

// contrast checks that all text can be read: 4.5:1, large text 3:1.
func (b *tab) contrast(where string) {
	b.Helper()
	const look = `(() => {
		const rgb = (s) => (s.match(/[\d.]+/g) || []).map(Number);
		const light = (c) => c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((n, v, i) => n + v * [0.2126, 0.7152, 0.0722][i], 0);
		const ground = (el) => { for (; el; el = el.parentElement) { const c = rgb(getComputedStyle(el).backgroundColor); if (c.length === 3 || c[3] > 0.99) return c; } return [255, 255, 255]; };
		const out = new Set();
		const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		let n = 0;
		while (walk.nextNode()) {
			const el = walk.currentNode.parentElement;
			if (!walk.currentNode.data.trim() || el.closest('svg, option, noscript, .said') || !el.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
			n++;
			const style = getComputedStyle(el);
			const [a, b] = [light(rgb(style.color)), light(ground(el))].sort((x, y) => y - x);
			const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
			if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5)) out.add(el.className + ' ' + el.nodeName + ' ' + style.color + ' ' + ((a + 0.05) / (b + 0.05)).toFixed(2));
		}
		return n < 20 ? ['only ' + n + ' texts'] : [...out];
	})()`
	if bad := value[[]string](b, look); len(bad) > 0 {
		b.Errorf("%s: too little contrast: %v", where, bad)
	}
}

// quiet checks that nothing was written to the console.
func (b *tab) quiet() {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.messages {
		b.Errorf("the console says %s", m)
	}
	b.messages = nil
}

func quote(s string) string { return fmt.Sprintf("%q", s) }
