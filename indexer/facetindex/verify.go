package facetindex

import (
	"context"
	"errors"
	"fmt"
	"time"

	"catalog/indexer"
	"catalog/indexer/facetindex/internal/segment"
)

// laterBytes is how long a file must be for most of it to be verified when it is
// used: shorter ones take no time.
const laterBytes = 16 << 20

// verifyAfter is how long after an index is opened the rest of it is verified,
// such that the first searches do not wait for the disk.
const verifyAfter = 10 * time.Second

// verifyPause is how long verifying in the background rests after each
// mebibyte, so that searches have the disk.
const verifyPause = 5 * time.Millisecond

// noteDamage makes an index unusable of which a file was found to be damaged,
// unless nothing uses that file any more.
func (x *Index) noteDamage(err error) {
	var corrupt *segment.CorruptError
	if !errors.As(err, &corrupt) {
		return
	}
	x.snapMu.Lock()
	defer x.snapMu.Unlock()
	if x.broken != nil || x.snap == nil {
		return
	}
	for _, p := range x.snap.parts {
		if p.name != "" && p.name == corrupt.File {
			x.broken = fmt.Errorf("facetindex: %q: %w", x.dir, err)
			return
		}
	}
}

var errStopped = errors.New("stopped")

// verifyLater verifies what was not when the index was opened.
func (x *Index) verifyLater() {
	select {
	case <-x.stop:
		return
	case <-time.After(verifyAfter):
	}
	tick := time.NewTicker(verifyPause)
	defer tick.Stop()
	err := x.verify(context.Background(), func(context.Context) error {
		select {
		case <-x.stop:
			return errStopped
		case <-tick.C:
			return nil
		}
	})
	if errors.Is(err, indexer.ErrCorrupt) {
		x.opts.OnError(fmt.Errorf("facetindex: verifying: %w", err))
	}
}

// verify verifies the segments that the index has now, with a pause now and
// then if that is not nil.
func (x *Index) verify(ctx context.Context, pause func(context.Context) error) error {
	_, err := read(ctx, x, func(s *snapshot) (struct{}, error) {
		for _, p := range s.parts {
			if err := p.seg.Verify(ctx, pause); err != nil {
				return struct{}{}, err
			}
			p.forget()
		}
		return struct{}{}, nil
	})
	return err
}
