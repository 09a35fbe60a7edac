package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"catalog/importer"
)

// limitValue is a flag that holds an importer.Limit: "100", "2%" or "none".
type limitValue struct {
	limit   *importer.Limit
	initial string // what help shows as the default
}

func (v limitValue) Type() string { return "N|N%" }

func (v limitValue) Set(s string) error {
	l, err := parseLimit(s)
	if err != nil {
		return err
	}
	*v.limit = l
	return nil
}

func (v limitValue) String() string {
	switch {
	case v.limit == nil || !v.limit.Set:
		return v.initial
	case v.limit.None:
		return "none"
	case v.limit.Count < 0:
		return strconv.FormatFloat(v.limit.Percent, 'f', -1, 64) + "%"
	}
	return strconv.FormatInt(v.limit.Count, 10)
}

// parseLimit reads a count, a share in percent, or none.
func parseLimit(s string) (importer.Limit, error) {
	s = strings.TrimSpace(s)
	if s == "none" {
		return importer.Limit{Set: true, None: true, Count: -1}, nil
	}
	if share, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil || math.IsNaN(p) || p < 0 || p > 100 {
			return importer.Limit{}, fmt.Errorf("%q is no share between 0%% and 100%%", s)
		}
		return importer.Limit{Set: true, Count: -1, Percent: p}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return importer.Limit{}, fmt.Errorf("%q is no limit: use a count (100), a share (2%%) or none", s)
	}
	return importer.Limit{Set: true, Count: n}, nil
}
