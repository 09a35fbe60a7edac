package indexer

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"strings"
)

// SampleSize is how many hits facets are chosen from: those whose SKUs have
// the lowest SampleHash. So every index chooses the same.
const SampleSize = 256

// SampleHash orders products for samples: FNV-1a of the SKU, ties by SKU.
func SampleHash(sku string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(sku))
	return h.Sum64()
}

// Sample is what the sampled hits have of one attribute: in their units that
// are eligible and meet the filters (but the attribute's own, for a facet that
// was asked for or is chosen and filtered by).
type Sample struct {
	Name   string
	Hits   int       // sampled hits, with or without the attribute
	Having int       // of them, those that have it
	Counts []int     // for each distinct value the hits that have it, in any order
	Nums   []float64 // of each sampled hit that has numbers: the distinct numbers among its values
	Texts  int       // of Having, those with some value that is no number
}

// MaxPlainNumbers is how many distinct numbers are shown as values; more
// become ranges.
const MaxPlainNumbers = 12

// Ranged reports whether the attribute is shown as ranges of numbers: all its
// values are numbers, and too many to list.
func (s *Sample) Ranged() bool { return s.Texts == 0 && len(s.Counts) > MaxPlainNumbers }

// Score says how useful the attribute is to narrow the hits: greater is
// better, 0 not at all. Most of the hits should have it, no value nearly all of
// them, and there should not be a value for each.
func (s *Sample) Score() float64 {
	if s.Having == 0 || s.Hits == 0 || len(s.Counts) < 2 {
		return 0
	}
	distinct := len(s.Counts)
	if s.Ranged() {
		if s.Having >= 8 && distinct*10 > s.Having*9 {
			return 0 // numbers that name things, such as another shop's
		}
		distinct = 6
	} else if s.Having >= 8 && distinct*10 > s.Having*8 {
		return 0
	}
	coverage := float64(s.Having) / float64(s.Hits)
	balance := 1 - float64(slices.Max(s.Counts))/float64(s.Having)
	if s.Ranged() {
		balance = 0.5
	}
	compact := math.Min(1, math.Sqrt(20/float64(distinct)))
	if s.Texts == 0 {
		compact *= 0.8 // people look for names before they look for sizes
	}
	if strings.Contains(s.Name, ".") {
		compact *= 0.85 // a detail of something
	}
	return coverage * coverage * (0.25 + math.Max(balance, 0)) * compact
}

// Choose returns the names of the n most useful attributes, the best first,
// ties by name.
func Choose(samples []Sample, n int, exclude map[string]bool) []string {
	type scored struct {
		name  string
		score float64
	}
	var list []scored
	for i := range samples {
		if s := samples[i].Score(); s > 0 && !exclude[samples[i].Name] {
			list = append(list, scored{samples[i].Name, s})
		}
	}
	slices.SortFunc(list, func(a, b scored) int {
		if c := cmp.Compare(b.score, a.score); c != 0 {
			return c
		}
		return cmp.Compare(a.name, b.name)
	})
	names := make([]string, 0, n)
	for _, s := range list[:min(n, len(list))] {
		names = append(names, s.name)
	}
	return names
}

// Buckets returns about five ranges that hold all numbers, with round borders
// between the 5th and the 95th percentile of nums, which it sorts. The first
// has no lower limit and the last no upper one. One range when all numbers are
// equal, none without numbers.
func Buckets(nums []float64) []Range {
	if len(nums) == 0 {
		return nil
	}
	slices.Sort(nums)
	lo, hi := nums[len(nums)*5/100], nums[(len(nums)-1)*95/100]
	if lo == hi {
		lo, hi = nums[0], nums[len(nums)-1]
	}
	if lo == hi {
		return []Range{{}}
	}
	step := niceStep((hi - lo) / 5)
	var borders []float64
	for i := math.Floor(lo/step) + 1; i*step < hi && len(borders) < 16; i++ {
		borders = append(borders, round(i*step))
	}
	ranges := make([]Range, 0, len(borders)+1)
	var from *float64
	for i := range borders {
		ranges = append(ranges, Range{From: from, To: &borders[i], Open: true})
		from = &borders[i]
	}
	return append(ranges, Range{From: from})
}

// niceStep returns the least of 1, 2, 2.5, 5 times a power of ten that is not
// below step.
func niceStep(step float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(step)))
	for _, m := range [...]float64{1, 2, 2.5, 5} {
		if m*p >= step {
			return m * p
		}
	}
	return 10 * p
}

// round takes away what binary fractions add to a round number.
func round(f float64) float64 {
	if f == 0 {
		return 0
	}
	p := math.Pow(10, 12-math.Ceil(math.Log10(math.Abs(f))))
	return math.Round(f*p) / p
}
