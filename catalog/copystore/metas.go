package copystore

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strings"

	"catalog/catalog"
)

// copied reports whether a meta is the catalog's and not of one store alone.
func copied(name string) bool {
	return !strings.HasPrefix(name, "index/") && !strings.HasPrefix(name, "copy/")
}

// metas makes the target's metas those of the source.
func (c *copier) metas(ctx context.Context) error {
	nextSource, stopSource := iter.Pull2(own(c.from.Metas(ctx, "")))
	defer stopSource()
	nextTarget, stopTarget := iter.Pull2(own(c.to.Metas(ctx, "")))
	defer stopTarget()
	source, errSource, inSource := nextSource()
	target, errTarget, inTarget := nextTarget()
	c.report.Metas = 0
	for inSource || inTarget {
		err := errors.Join(errSource, errTarget)
		switch {
		case err != nil:
		case !inTarget || inSource && source.Name < target.Name:
			err = c.to.SetMeta(c.fenced(ctx), source.Name, source.Value)
			c.report.Metas++
			source, errSource, inSource = nextSource()
		case !inSource || target.Name < source.Name:
			err = c.to.SetMeta(c.fenced(ctx), target.Name, nil)
			target, errTarget, inTarget = nextTarget()
		default:
			if !bytes.Equal(source.Value, target.Value) {
				err = c.to.SetMeta(c.fenced(ctx), source.Name, source.Value)
			}
			c.report.Metas++
			source, errSource, inSource = nextSource()
			target, errTarget, inTarget = nextTarget()
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(errSource, errTarget)
}

// own leaves out what is not copied.
func own(all iter.Seq2[catalog.MetaEntry, error]) iter.Seq2[catalog.MetaEntry, error] {
	return func(yield func(catalog.MetaEntry, error) bool) {
		for m, err := range all {
			if (err != nil || copied(m.Name)) && !yield(m, err) {
				return
			}
		}
	}
}
