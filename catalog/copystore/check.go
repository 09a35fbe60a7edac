package copystore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"

	"catalog/catalog"
)

const (
	// maxRounds is how often records that differ are copied again before they
	// count as faults, or as moving.
	maxRounds = 5
	tellEvery = 10_000
)

// digest sums up records in any order.
type digest struct {
	n   int64
	sum [sha256.Size]byte
}

func (d *digest) add(h *catalog.Head) {
	b := binary.AppendUvarint(nil, uint64(len(h.Key)))
	b = append(b, h.Key...)
	b = append(b, h.Hash[:]...)
	b = append(b, h.Source...)
	for i, x := range sha256.Sum256(b) {
		d.sum[i] ^= x
	}
	d.n++
}

func (d *digest) String() string { return hex.EncodeToString(d.sum[:16]) }

// pair is the same kind of record in both stores.
type pair struct{ source, target digest }

// both adds a record to whichever side has it.
func (p *pair) both(source, target *catalog.Head) {
	if source.Exists() {
		p.source.add(source)
	}
	if target.Exists() {
		p.target.add(target)
	}
}

func alike(a, b *catalog.Head) bool {
	return a.Exists() == b.Exists() && a.Hash == b.Hash && a.Source == b.Source
}

// check compares the stores, and copies again what is not alike.
func (c *copier) check(ctx context.Context) error {
	pairs := map[catalog.Kind]*pair{}
	differ := map[item]struct{}{}
	p := Progress{Phase: PhaseCheck}
	var err error
	if p.Total, err = c.total(ctx); err != nil {
		return err
	}
	c.report.Faults, c.report.Moving, c.report.Examples = 0, 0, nil
	for _, kind := range catalog.Kinds() {
		pairs[kind] = &pair{}
		if err := c.compare(ctx, kind, pairs[kind], differ, &p); err != nil {
			return err
		}
	}
	if err := c.correct(ctx, differ, pairs); err != nil {
		return err
	}
	for _, kind := range catalog.Kinds() {
		k, d := c.kind(kind), pairs[kind]
		k.SourceCount, k.SourceDigest = d.source.n, d.source.String()
		k.TargetCount, k.TargetDigest = d.target.n, d.target.String()
	}
	return nil
}

// compare reads all records of a kind in both stores side by side.
func (c *copier) compare(ctx context.Context, kind catalog.Kind, d *pair, differ map[item]struct{}, p *Progress) error {
	nextSource, stopSource := iter.Pull2(c.from.Heads(ctx, kind, catalog.All))
	defer stopSource()
	nextTarget, stopTarget := iter.Pull2(c.to.Scan(ctx, kind, catalog.All))
	defer stopTarget()
	source, errSource, inSource := nextSource()
	target, errTarget, inTarget := nextTarget()
	for inSource || inTarget {
		if err := errors.Join(errSource, errTarget); err != nil {
			return err
		}
		if p.Done++; p.Done%tellEvery == 0 {
			c.progress(*p)
		}
		if inTarget && (!inSource || target.Key <= source.Key) && catalog.HashOf(target.Body) != target.Hash {
			c.fault(item{kind, target.Key}, "the target's record is corrupt")
		}
		switch {
		case !inTarget || inSource && source.Key < target.Key:
			differ[item{kind, source.Key}] = struct{}{}
			source, errSource, inSource = nextSource()
		case !inSource || target.Key < source.Key:
			differ[item{kind, target.Key}] = struct{}{}
			target, errTarget, inTarget = nextTarget()
		default:
			if alike(&source, &target.Head) {
				d.both(&source, &target.Head)
			} else {
				differ[item{kind, source.Key}] = struct{}{}
			}
			source, errSource, inSource = nextSource()
			target, errTarget, inTarget = nextTarget()
		}
	}
	return errors.Join(errSource, errTarget)
}

// correct copies what differs until it is alike. What is not, although the
// source has not changed it meanwhile, is a fault.
func (c *copier) correct(ctx context.Context, differ map[item]struct{}, pairs map[catalog.Kind]*pair) error {
	settle := func(it item, source, target *catalog.Head) {
		if alike(source, target) {
			pairs[it.kind].both(source, target)
			delete(differ, it)
		}
	}
	// What the log has brought since the records were read is no correction.
	if err := c.follow(ctx); err != nil {
		return err
	}
	if err := c.recheck(ctx, differ, settle); err != nil {
		return err
	}
	c.report.Corrected += int64(len(differ))
	for range maxRounds {
		if len(differ) == 0 {
			break
		}
		if err := c.again(ctx, differ); err != nil {
			return err
		}
		if err := c.recheck(ctx, differ, settle); err != nil {
			return err
		}
	}
	if err := c.follow(ctx); err != nil || len(differ) == 0 {
		return err
	}
	return c.judge(ctx, differ, pairs)
}

// judge tells records that the source keeps changing from those that cannot be
// made alike.
func (c *copier) judge(ctx context.Context, differ map[item]struct{}, pairs map[catalog.Kind]*pair) error {
	type heads struct{ source, target catalog.Head }
	last := map[item]heads{}
	err := c.recheck(ctx, differ, func(it item, source, target *catalog.Head) { last[it] = heads{*source, *target} })
	if err != nil {
		return err
	}
	at, err := c.after()
	if err != nil {
		return err
	}
	moving := map[item]struct{}{}
	for change, err := range c.from.Changes(ctx, at) {
		if err != nil {
			return err
		}
		moving[item{change.Kind, change.Key}] = struct{}{}
	}
	for it, h := range last {
		_, moves := moving[it]
		switch {
		case alike(&h.source, &h.target):
			pairs[it.kind].both(&h.source, &h.target)
		case moves:
			c.report.Moving++
		default:
			pairs[it.kind].both(&h.source, &h.target)
			c.fault(it, difference(&h.source, &h.target))
		}
	}
	return nil
}

// recheck calls f with the heads of both stores.
func (c *copier) recheck(ctx context.Context, items map[item]struct{}, f func(it item, source, target *catalog.Head)) error {
	var keys [catalog.KindAttribute + 1][]catalog.Key
	for it := range items {
		keys[it.kind] = append(keys[it.kind], it.key)
	}
	for _, kind := range catalog.Kinds() {
		for left := keys[kind]; len(left) > 0; {
			n := min(len(left), maxKeys)
			source, err := c.from.HeadsOf(ctx, kind, left[:n]...)
			if err != nil {
				return err
			}
			target, err := c.to.HeadsOf(ctx, kind, left[:n]...)
			if err != nil {
				return err
			}
			for i := range source {
				f(item{kind, left[i]}, &source[i], &target[i])
			}
			left = left[n:]
		}
	}
	return nil
}

func (c *copier) fault(it item, what string) {
	c.report.Faults++
	if len(c.report.Examples) < maxExamples {
		c.report.Examples = append(c.report.Examples, Fault{Kind: it.kind.String(), Key: string(it.key), What: what})
	}
}

// difference says for people how two records are not alike.
func difference(source, target *catalog.Head) string {
	switch {
	case !target.Exists():
		return "is not in the target"
	case !source.Exists():
		return "is in the target only"
	case source.Hash != target.Hash:
		return fmt.Sprintf("has hash %s in the source, %s in the target", source.Hash, target.Hash)
	}
	return fmt.Sprintf("belongs to %q in the source, to %q in the target", source.Source, target.Source)
}
