// Package window is a shop window for what the catalog has: a small preview
// shop that runs in a browser and knows the catalog by its REST API alone. It
// consists of static files that are part of the program, and has no build step:
// one page, one style sheet, one icon, and small JavaScript modules.
//
// The page is the same at every address; what it shows stands in the address
// (see static/route.js). The files are served below /assets/ and a digest of
// them all, so that browsers and caches may keep them for ever, and a new
// version of the program never mixes with an old one.
//
// /assets/price-stock.js, without a digest, is for pages of others: it fills
// price and stock into any page that was cached without them. Its first lines
// say how it is used.
package window

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed static
var static embed.FS

// Options say what the window looks like. The zero value works.
type Options struct {
	Title string // of the shop; "" is "catalog"
	// Media is the address that images' paths are relative to, such as
	// https://shop.example/media/catalog/product. Without it drawings stand in
	// for all images.
	Media string
}

// stable is the one script that others may link to.
const stable = "price-stock.js"

// policy allows the page what it needs: its own files and the API, and images
// from wherever the shop keeps them.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https: data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Handler serves the window: the page at "/", "/c/…", "/p/…", "/product",
// "/search" and "/status", its files below "/assets/"; 404 for everything else. It answers
// GET and HEAD. It is safe for concurrent use.
func Handler(opts Options) (http.Handler, error) {
	if opts.Title == "" {
		opts.Title = "catalog"
	}
	h := &handler{files: map[string]*file{}}
	if err := h.load(opts); err != nil {
		return nil, fmt.Errorf("window: %w", err)
	}
	return h, nil
}

// handler has all files in memory, as they are sent.
type handler struct {
	files  map[string]*file // by name, without folders
	page   *file
	digest string
}

// file is what is sent, plain and compressed.
type file struct {
	contentType  string
	plain, gzip  []byte
	etag, zipTag string
}

func newFile(name string, content []byte) (*file, error) {
	sum := sha256.Sum256(content)
	tag := hex.EncodeToString(sum[:12])
	f := &file{plain: content, etag: `"` + tag + `"`, zipTag: `"` + tag + `-gz"`}
	f.contentType = mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // whatever the machine's tables say
	case ".js":
		f.contentType = "text/javascript; charset=utf-8"
	case ".css":
		f.contentType = "text/css; charset=utf-8"
	case ".svg":
		f.contentType = "image/svg+xml"
	case ".html":
		f.contentType = "text/html; charset=utf-8"
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if b.Len() < len(content) {
		f.gzip = b.Bytes()
	}
	return f, nil
}

func (h *handler) load(opts Options) error {
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		return err
	}
	all := sha256.New()
	var page []byte
	var modules []string
	for _, e := range entries {
		name := e.Name()
		content, err := static.ReadFile("static/" + name)
		if err != nil {
			return err
		}
		if name == "index.html" {
			page = content
			continue
		}
		if path.Ext(name) == ".js" && name != stable && name != "app.js" {
			modules = append(modules, name)
		}
		fmt.Fprintf(all, "%s %d ", name, len(content))
		all.Write(content)
		if h.files[name], err = newFile(name, content); err != nil {
			return err
		}
	}
	h.digest = hex.EncodeToString(all.Sum(nil)[:8])
	t, err := template.New("page").Parse(string(page))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Title":   opts.Title,
		"Media":   strings.TrimSuffix(opts.Media, "/"),
		"Assets":  "/assets/" + h.digest + "/",
		"Modules": modules,
	})
	if err != nil {
		return err
	}
	h.page, err = newFile("index.html", b.Bytes())
	return err
}

// ServeHTTP serves the page or a file.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	head := w.Header()
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	if name, ok := strings.CutPrefix(r.URL.Path, "/assets/"); ok {
		digest, name, inFolder := strings.Cut(name, "/")
		if !inFolder {
			name, digest = digest, ""
		}
		f := h.files[name]
		switch {
		case f == nil || !inFolder && name != stable:
			http.NotFound(w, r)
			return
		case digest == h.digest:
			head.Set("Cache-Control", "public, max-age=31536000, immutable")
		case inFolder:
			// A page of another version is open somewhere: these files will do
			// for now, but not under that name for ever.
			head.Set("Cache-Control", "no-cache")
		default:
			head.Set("Cache-Control", "public, max-age=3600, stale-while-revalidate=86400")
			head.Set("Access-Control-Allow-Origin", "*") // modules and integrity checks of other origins
		}
		h.send(w, r, f)
		return
	}
	if !isPage(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	head.Set("Content-Security-Policy", policy)
	head.Set("Cache-Control", "no-cache")
	h.send(w, r, h.page)
}

// isPage reports whether the page has something to show at an address.
func isPage(p string) bool {
	switch p {
	case "/", "/search", "/status", "/c", "/p", "/product":
		return true
	}
	return strings.HasPrefix(p, "/c/") || strings.HasPrefix(p, "/p/")
}

// send answers with a file, or with 304.
func (h *handler) send(w http.ResponseWriter, r *http.Request, f *file) {
	head := w.Header()
	head.Set("Content-Type", f.contentType)
	head.Add("Vary", "Accept-Encoding")
	body, tag := f.plain, f.etag
	if f.gzip != nil && takesGzip(r) {
		body, tag = f.gzip, f.zipTag
		head.Set("Content-Encoding", "gzip")
	}
	head.Set("ETag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		head.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	head.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // whoever asked is gone if it fails
}

// takesGzip reports whether an answer may be compressed.
func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if n := strings.TrimSpace(name); n == "gzip" || n == "*" {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return weight == "" || err != nil || q > 0
		}
	}
	return false
}

// matches reports whether an If-None-Match names a tag.
func matches(header, tag string) bool {
	if header == "" {
		return false
	}
	return slices.ContainsFunc(strings.Split(header, ","), func(t string) bool {
		t = strings.TrimPrefix(strings.TrimSpace(t), "W/")
		return t == tag || t == "*"
	})
}
