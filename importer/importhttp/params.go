package importhttp

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"catalog/catalog"
	"catalog/importer"
)

// params are what the URL of a POST says beside the importer's options.
type params struct {
	opts   importer.Options
	detach bool
	noTidy bool
}

// parseParams reads the query of a POST. What it does not know is an error: a
// guard that is misspelled guards nothing.
func parseParams(query string) (params, error) {
	var p params
	values, err := url.ParseQuery(query)
	if err != nil {
		return p, err
	}
	p.opts.Kind, p.opts.Mode = catalog.KindProduct, importer.Upsert
	o := &p.opts
	for name, all := range values {
		if len(all) != 1 {
			return p, fmt.Errorf("%s is given %d times", name, len(all))
		}
		v := all[0]
		var err error
		switch name {
		case "kind":
			o.Kind, err = catalog.ParseKind(v)
		case "mode":
			o.Mode = importer.Mode(v)
			if !slices.Contains([]importer.Mode{importer.Upsert, importer.Patch, importer.Sync, importer.Delete}, o.Mode) {
				err = fmt.Errorf("mode=%q: use upsert, patch, sync or delete", v)
			}
		case "source":
			o.Source = v
		case "format":
			o.Input.Format = v
		case "encoding":
			o.Input.Encoding = v
		case "delimiter":
			if o.Input.Delimiter = v; v == "tab" {
				o.Input.Delimiter = "\t"
			}
		case "sku":
			o.SKU = v
		case "workers":
			o.Workers, err = strconv.Atoi(v)
			if err != nil || o.Workers < 0 || o.Workers > 1024 {
				err = fmt.Errorf("workers=%q: use a number up to 1024", v)
			}
		case "dry_run":
			o.DryRun, err = boolean(name, v)
		case "detach":
			p.detach, err = boolean(name, v)
		case "no_tidy":
			p.noTidy, err = boolean(name, v)
		case "max_rejects":
			o.Guards.MaxRejects, err = parseLimit(name, v)
		case "max_unreadable":
			o.Guards.MaxUnreadable, err = parseLimit(name, v)
		case "max_delete":
			o.Guards.MaxDelete, err = parseLimit(name, v)
		case "max_price_change":
			o.Guards.MaxPriceChange, err = parseLimit(name, v)
		default:
			err = fmt.Errorf("unknown parameter %q", name)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// parseLimit reads a count, a share in percent, or none.
func parseLimit(name, s string) (importer.Limit, error) {
	if s == "none" {
		return importer.Limit{Set: true, None: true, Count: -1}, nil
	}
	if share, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(share, 64)
		if err != nil || math.IsNaN(p) || p < 0 || p > 100 {
			return importer.Limit{}, fmt.Errorf("%s=%q: use a share from 0%% to 100%%", name, s)
		}
		return importer.Limit{Set: true, Count: -1, Percent: p}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return importer.Limit{}, fmt.Errorf("%s=%q: use a count (100), a share (2%%) or none", name, s)
	}
	return importer.Limit{Set: true, Count: n}, nil
}
