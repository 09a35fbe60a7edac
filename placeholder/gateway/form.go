package gateway

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The storefront's controllers take the product's entity id as the parameter
// "product", from the path, the query or the form, the first that has it.
// parseAdd looks for "sku" in these places and puts "product" into its place.

// field is a parameter of a form, or of a path, as it stands in the source.
type field struct {
	name, value string // decoded
	start, end  int    // of both, in the source
	from, to    int    // what to cut to take it out, its separator included
}

// maxFields is how many parameters are looked at; PHP itself takes 1,000 by
// default.
const maxFields = 5000

// place is where a parameter may stand.
type place struct {
	source string
	fields []field
	// write is a product's id as it stands in this place.
	write func(id string) string
}

// choose decides what a place says: the SKU to be replaced, or that it has a
// product, so that nothing is to be done. The last parameter of a name counts.
func (p *place) choose() (sku *field, has bool) {
	for i := range p.fields {
		f := &p.fields[i]
		switch f.name {
		case "product":
			has = f.value != "" && f.value != "0"
		case "sku":
			if f.value != "" {
				sku = f
			}
		}
	}
	return sku, has
}

// replace returns the source with the SKUs replaced by the product's id. An
// empty product would hide it.
func (p *place) replace(id int64) string {
	var edits []edit
	done := false
	for _, f := range slices.Backward(p.fields) {
		switch {
		case f.name == "sku" && !done:
			edits = append(edits, edit{f.start, f.end, p.write(strconv.FormatInt(id, 10))})
			done = true
		case f.name == "sku" || f.name == "product":
			edits = append(edits, edit{f.from, f.to, ""})
		}
	}
	return string(applyEdits([]byte(p.source), edits))
}

// parseAdd reads the places of a storefront add, those that count first
// first. It returns nil when there is a product already, or no SKU. with tells
// how the request goes on once a place has another source.
func parseAdd(places []place, with func(i int, source string) rewritten) *parsed {
	for i := range places {
		sku, has := places[i].choose()
		if has {
			return nil
		}
		if sku == nil {
			continue
		}
		p := &parsed{}
		p.add(sku.value)
		p.rewrite = func(a answers) rewritten {
			if r := a.refusal(p.skus); r != nil {
				return rewritten{refusal: r}
			}
			id := a.id(sku.value)
			if id == 0 {
				return rewritten{}
			}
			return with(i, places[i].replace(id))
		}
		return p
	}
	return nil
}

// urlencoded reads a query or a form.
func urlencoded(source string) place {
	p := place{source: source, write: func(id string) string { return "product=" + id }}
	for at := 0; at < len(source) && len(p.fields) < maxFields; {
		end := next(source, at, '&')
		name, value, _ := strings.Cut(source[at:end], "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if n != "" && err1 == nil && err2 == nil {
			p.fields = append(p.fields, field{n, v, at, end, at, min(end+1, len(source))})
		}
		at = end + 1
	}
	return p
}

// next returns where the separator is that follows at in s, or s's end.
func next(s string, at int, separator byte) int {
	if i := strings.IndexByte(s[at:], separator); i >= 0 {
		return at + i
	}
	return len(s)
}

// pathParams reads the parameters of an escaped path, /sku/X/qty/2, that
// begin at the given segment.
func pathParams(path string, from int) place {
	p := place{source: path, write: func(id string) string { return "product/" + id }}
	type span struct{ start, end int }
	var segs []span
	for i := 0; i < len(path) && len(segs) < maxFields; {
		if path[i] == '/' {
			i++
			continue
		}
		end := next(path, i, '/')
		segs = append(segs, span{i, end})
		i = end
	}
	for i := from; i+1 < len(segs); i += 2 {
		n, err1 := url.PathUnescape(path[segs[i].start:segs[i].end])
		v, err2 := url.PathUnescape(path[segs[i+1].start:segs[i+1].end])
		if err1 == nil && err2 == nil {
			start, end := segs[i].start, segs[i+1].end
			p.fields = append(p.fields, field{n, v, start, end, start - 1, end})
		}
	}
	return p
}
