package storefront

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestDeadlineContext holds the context to what one of package context does,
// whoever asks it for what first.
func TestDeadlineContext(t *testing.T) {
	type key struct{}
	for name, look := range map[string]func(ctx context.Context) (derived context.Context, cancel context.CancelFunc){
		"nobody":  func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} },
		"Err":     func(ctx context.Context) (context.Context, context.CancelFunc) { _ = ctx.Err(); return ctx, func() {} },
		"Done":    func(ctx context.Context) (context.Context, context.CancelFunc) { ctx.Done(); return ctx, func() {} },
		"derived": context.WithCancel,
	} {
		for how, end := range map[string]struct {
			do   func(c *deadlineContext, cancel context.CancelFunc)
			want error
		}{
			"time":   {func(*deadlineContext, context.CancelFunc) { time.Sleep(time.Minute) }, context.DeadlineExceeded},
			"parent": {func(_ *deadlineContext, cancel context.CancelFunc) { cancel() }, context.Canceled},
			"end":    {func(c *deadlineContext, _ context.CancelFunc) { c.end() }, context.Canceled},
		} {
			t.Run(name+", ended by "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
					defer cancel()
					at := time.Now().Add(time.Minute)
					c := &deadlineContext{Context: parent, at: at}
					if d, ok := c.Deadline(); !ok || !d.Equal(at) || c.Value(key{}) != "v" {
						t.Fatalf("deadline %v, value %v", d, c.Value(key{}))
					}
					derived, stop := look(c)
					defer stop()
					if c.Err() != nil || derived.Err() != nil {
						t.Fatalf("%v, %v before its end", c.Err(), derived.Err())
					}
					end.do(c, cancel)
					synctest.Wait()
					if !errors.Is(c.Err(), end.want) || !errors.Is(derived.Err(), end.want) {
						t.Fatalf("%v, %v, want %v", c.Err(), derived.Err(), end.want)
					}
					<-c.Done()
					<-derived.Done()
					c.end()
					if !errors.Is(c.Err(), end.want) {
						t.Fatalf("%v after its end, want %v", c.Err(), end.want)
					}
				})
			})
		}
	}
	t.Run("the parent's deadline", func(t *testing.T) {
		soon := time.Now().Add(time.Second)
		parent, cancel := context.WithDeadline(t.Context(), soon)
		defer cancel()
		c := &deadlineContext{Context: parent, at: soon.Add(time.Hour)}
		if d, ok := c.Deadline(); !ok || !d.Equal(soon) {
			t.Fatalf("deadline %v, want %v", d, soon)
		}
	})
}
