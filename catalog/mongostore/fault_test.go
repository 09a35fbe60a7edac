package mongostore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"catalog/catalog"
	"catalog/catalog/memstore"
	"catalog/catalog/mongostore"
	"catalog/catalog/storetest"
	"catalog/fixtures/mongo"
	"catalog/fixtures/servertest"
)

// batches are what a test applies, in this order.
func batches(seed uint64, n, size int) [][]catalog.Write {
	rng := rand.New(rand.NewPCG(seed, 0))
	out := make([][]catalog.Write, n)
	for b := range out {
		for i := range size {
			key := catalog.Key(fmt.Sprintf("k%04d", rng.IntN(n*size/3)))
			w := catalog.Write{Kind: catalog.KindProduct, Key: key, Source: "feed"}
			switch rng.IntN(8) {
			case 0:
			case 1:
				w.Kind = catalog.KindPrice
				fallthrough
			default:
				w.Body = fmt.Appendf(nil, `{"sku":%q,"n":%d,"price":%d.50}`, key, rng.IntN(5), i)
				w.Refs = []catalog.Ref{{Type: catalog.RefURLKey, Value: string(key)}}
				if w.Kind == catalog.KindPrice {
					w.Refs = nil
				}
			}
			out[b] = append(out[b], w)
		}
	}
	return out
}

// same fails the test unless a store holds what an undisturbed one would.
func same(t *testing.T, s catalog.Store, all [][]catalog.Write) {
	t.Helper()
	want := memstore.New()
	defer want.Close()
	for _, writes := range all {
		if _, err := want.Apply(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Equal(t, s, want, catalog.Ref{Type: catalog.RefURLKey, Value: "k0001"})
}

// insist applies batches, each as often as it takes.
func insist(ctx context.Context, s catalog.Store, all [][]catalog.Write) (failures int, err error) {
	for _, writes := range all {
		for {
			_, err := s.Apply(ctx, writes)
			if err == nil {
				break
			}
			if !errors.Is(err, mongostore.ErrUnavailable) {
				return failures, err
			}
			failures++
		}
	}
	return failures, nil
}

// TestServerKilled: the server is killed and started again while batches are
// applied, and others follow the log.
func TestServerKilled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	servertest.Need(t, servertest.MongoDB)
	srv, err := mongo.StartLocal(t.Context(), mongo.Options{Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	s := open(t, srv.URL("catalog_test_killed"), &mongostore.Options{Patience: time.Second, PartRecords: 50})
	n := 60
	if srv.Slow() {
		n = 20
	}
	all := batches(seed, n, 100)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	done := make(chan error, 1)
	wg.Go(func() {
		_, err := insist(ctx, s, all)
		done <- err
	})
	following := follow(ctx, s)
	rng := rand.New(rand.NewPCG(seed, 1))
	kills := 0
	for ended := false; !ended; {
		select {
		case err = <-done:
			ended = true
		case <-time.After(time.Duration(200+rng.IntN(400)) * time.Millisecond):
			if kills == 3 {
				continue
			}
			kills++
			if err := errors.Join(srv.Kill(), srv.Restart(ctx)); err != nil {
				cancel()
				t.Fatal(err)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if kills == 0 {
		t.Error("all was written before the first kill")
	}
	same(t, s, all)
	following.check(t, s)
}

// followed is what a follower made of the log.
type followed struct {
	end  chan struct{}
	mu   sync.Mutex
	last map[catalog.Key]catalog.Change // of products
	err  error
	at   catalog.Cursor
}

// follow reads the log until check is called.
func follow(ctx context.Context, s catalog.Store) *followed {
	f := &followed{end: make(chan struct{}), last: map[catalog.Key]catalog.Change{}}
	go func() {
		defer close(f.end)
		for ctx.Err() == nil && f.err == nil {
			waiting, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			_ = s.Wait(waiting, f.at)
			cancel()
			tail, err := s.Tail(ctx)
			if err != nil {
				continue
			}
			f.mu.Lock()
			for c, err := range s.Changes(ctx, f.at) {
				if err != nil {
					break
				}
				if c.Seq <= f.at.Seq {
					f.err = fmt.Errorf("change %d comes after %d", c.Seq, f.at.Seq)
				}
				f.at = catalog.Cursor{Epoch: tail.Epoch, Seq: c.Seq}
				if c.Kind == catalog.KindProduct {
					f.last[c.Key] = c
				}
			}
			f.mu.Unlock()
		}
	}()
	return f
}

// check waits until all was followed, and compares it with what is there.
func (f *followed) check(t *testing.T, s catalog.Store) {
	t.Helper()
	tail, err := s.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		f.mu.Lock()
		reached := f.at == tail
		f.mu.Unlock()
		if reached {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil || f.at != tail {
		t.Fatalf("the follower is at %v of %v, %v", f.at, tail, f.err)
	}
	n := 0
	for h, err := range s.Heads(t.Context(), catalog.KindProduct, catalog.All) {
		if err != nil {
			t.Fatal(err)
		}
		if c := f.last[h.Key]; c.Seq != h.Seq || c.Op != catalog.OpPut {
			t.Errorf("%q is at %d, the follower saw %+v", h.Key, h.Seq, c)
		}
		n++
	}
	for _, c := range f.last {
		if c.Op == catalog.OpPut {
			n--
		}
	}
	if n != 0 {
		t.Errorf("the follower lacks %d products", n)
	}
}

// proxy hands connections through to a server, and does harm to them.
type proxy struct {
	net.Listener
	to    string
	cut   atomic.Int64 // each connection breaks after up to so many bytes to the server; 0: never
	sleep atomic.Pointer[sleep]
	wg    sync.WaitGroup
}

func newProxy(t *testing.T, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to}
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(c) })
		}
	})
	return p
}

func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	up, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer up.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		defer c.Close()
		_, _ = io.Copy(c, up)
	})
	defer up.Close()
	buf := make([]byte, 4096)
	left := p.cut.Load()
	if left > 0 {
		left = 1 + rand.Int64N(left)
	}
	for {
		n, err := c.Read(buf)
		asleep := p.sleep.Load()
		if asleep != nil && !asleep.after {
			asleep.wait(buf[:n])
		}
		if left > 0 {
			if n = int(min(int64(n), left)); int64(n) == left {
				err = io.ErrUnexpectedEOF
			}
			left -= int64(n)
		}
		if _, werr := up.Write(buf[:n]); werr != nil || err != nil {
			return
		}
		if asleep != nil && asleep.after {
			asleep.wait(buf[:n])
		}
	}
}

// sleep stops what goes to the server before or after a message, until it is
// woken.
type sleep struct {
	message []byte
	after   bool
	once    sync.Once
	asleep  chan struct{} // closed when the message came
	woken   chan struct{}
}

func (s *sleep) wait(sent []byte) {
	if bytes.Contains(sent, s.message) {
		s.once.Do(func() { close(s.asleep) })
	}
	select {
	case <-s.asleep:
		<-s.woken
	default:
	}
}

// through returns a URL by way of a proxy.
func (p *proxy) through(database string) string {
	return fmt.Sprintf("mongodb://%s/%s?directConnection=true", p.Addr(), database)
}

// TestConnectionCut: connections break after k bytes, for many k.
func TestConnectionCut(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	servertest.Need(t, servertest.MongoDB)
	srv, err := mongo.StartLocal(t.Context(), mongo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	p := newProxy(t, srv.Address())
	s := open(t, p.through("catalog_test_cut"), &mongostore.Options{Patience: 300 * time.Millisecond, PartRecords: 10, Workers: 2, RetryFor: 5 * time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	n := 60
	if srv.Slow() {
		n = 15
	}
	all := batches(seed, n, 30)
	p.cut.Store(40_000)
	if _, err := insist(ctx, s, all); err != nil {
		t.Fatal(err)
	}
	p.cut.Store(0)
	same(t, s, all)
	if err := errors.Join(s.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	p.wg.Wait()
}

// TestSleeper: a writer that stands still beyond all patience, wherever it is in
// its Apply, holds nobody up for longer, and does no harm when it goes on. (One
// that stands still between its last write and its commit does so until the
// server ends its transaction.)
func TestSleeper(t *testing.T) {
	srv := server(t)
	p := newProxy(t, srv.Address())
	o := mongostore.Options{Patience: 100 * time.Millisecond}
	url := database(t, srv)
	name, err := mongostore.Database(url)
	if err != nil {
		t.Fatal(err)
	}
	sleeper, awake := open(t, p.through(name), &o), open(t, url, &o)
	var first, second [][]catalog.Write
	for round := range 6 {
		message := []string{"\x02findAndModify\x00", "\x02insert\x00\x06\x00\x00\x00heads\x00", "\x02insert\x00\x09\x00\x00\x00products\x00"}[round/2]
		asleep := &sleep{message: []byte(message), after: round%2 == 1, asleep: make(chan struct{}), woken: make(chan struct{})}
		p.sleep.Store(asleep)
		mine := []catalog.Write{{Kind: catalog.KindProduct, Key: catalog.Key(fmt.Sprint("sleeper", round)), Body: fmt.Appendf(nil, `{"n":%d}`, round)}}
		first = append(first, mine)
		slept := make(chan error, 1)
		go func() {
			_, err := sleeper.Apply(t.Context(), mine)
			slept <- err
		}()
		<-asleep.asleep
		for i := range 3 {
			writes := []catalog.Write{{Kind: catalog.KindProduct, Key: catalog.Key(fmt.Sprint("awake", i)), Body: fmt.Appendf(nil, `{"n":%d}`, round)}}
			if _, err := awake.Apply(t.Context(), writes); err != nil {
				close(asleep.woken)
				t.Fatal(err)
			}
			second = append(second, writes)
		}
		select {
		case err := <-slept:
			t.Errorf("round %d: it does not sleep: %v", round, err)
		default:
		}
		p.sleep.Store(nil)
		close(asleep.woken)
		if err := <-slept; err != nil {
			t.Fatal(err)
		}
	}
	same(t, awake, append(first, second...))
	if err := errors.Join(sleeper.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	p.wg.Wait()
}

// admin does something with a server behind the store's back.
func admin(t *testing.T, url string, f func(*driver.Client) error) {
	t.Helper()
	c, err := driver.Connect(options.Client().ApplyURI(url))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f(c), c.Disconnect(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// TestDeadWriter: a process dies after it has reserved its place in the log.
// Who comes next goes on after its patience, and readers see no gap.
func TestDeadWriter(t *testing.T) {
	url := database(t, server(t))
	s := open(t, url, &mongostore.Options{Patience: 100 * time.Millisecond})
	put := func(key catalog.Key) {
		t.Helper()
		if _, err := s.Apply(t.Context(), []catalog.Write{{Kind: catalog.KindProduct, Key: key, Body: []byte(`{}`)}}); err != nil {
			t.Fatal(err)
		}
	}
	put("before")
	name, err := mongostore.Database(url)
	if err != nil {
		t.Fatal(err)
	}
	admin(t, url, func(c *driver.Client) error {
		r, err := c.Database(name).Collection("state").UpdateOne(t.Context(), bson.D{}, bson.D{{Key: "$inc", Value: bson.D{{Key: "next", Value: 1500}}}})
		if err == nil && r.ModifiedCount != 1 {
			err = errors.New("there is no state")
		}
		return err
	})
	start := time.Now()
	put("after")
	if took := time.Since(start); took < 100*time.Millisecond {
		t.Errorf("the place was taken away after %v", took)
	}
	put("last")
	if err := storetest.Check(t.Context(), s); err != nil {
		t.Error(err)
	}
	// A process that comes later finds the log in order.
	if err := storetest.Check(t.Context(), open(t, url, nil)); err != nil {
		t.Error(err)
	}
	if _, err := s.Trim(t.Context(), 1<<50); err != nil {
		t.Error(err)
	}
	if err := storetest.Check(t.Context(), s); err != nil {
		t.Error(err)
	}
}

// TestLeaseOfDead: the lease of a process that died with places in the log
// reserved goes to another. It lasts, however long that one waits behind these
// places; and it does not wait at all when nobody has begun anything for long.
func TestLeaseOfDead(t *testing.T) {
	for _, c := range []struct {
		name     string
		patience time.Duration
		reserved time.Duration // how long ago
		atMost   time.Duration
	}{
		{"just now", 500 * time.Millisecond, 0, time.Minute},
		{"long ago", 20 * time.Second, time.Minute, 15 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := database(t, server(t))
			s := open(t, url, &mongostore.Options{Patience: c.patience})
			name, err := mongostore.Database(url)
			if err != nil {
				t.Fatal(err)
			}
			admin(t, url, func(client *driver.Client) error {
				_, err := client.Database(name).Collection("state").UpdateOne(t.Context(), bson.D{}, bson.D{
					{Key: "$inc", Value: bson.D{{Key: "next", Value: 2500}}},
					{Key: "$set", Value: bson.D{{Key: "reserved", Value: time.Now().Add(-c.reserved)}}},
				})
				return err
			})
			const ttl = 400 * time.Millisecond
			start := time.Now()
			l, err := s.Acquire(t.Context(), "import", "b", ttl)
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			if took > c.atMost || c.reserved == 0 && took < c.patience {
				t.Errorf("it was acquired after %v", took)
			}
			if err := s.Renew(t.Context(), l.Fence, time.Minute); err != nil {
				t.Errorf("acquired after %v, it was lost: %v", took, err)
			}
			if _, err := s.Apply(catalog.WithFence(t.Context(), l.Fence), []catalog.Write{{Kind: catalog.KindProduct, Key: "a", Body: []byte(`{}`)}}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestErrors: who cannot be served is told why.
func TestErrors(t *testing.T) {
	quick := &mongostore.Options{ConnectTimeout: 300 * time.Millisecond}
	for url, want := range map[string]error{
		"mongodb://127.0.0.1:1/db": mongostore.ErrUnavailable,
		"mongodb://127.0.0.1:1/":   catalog.ErrInvalid,
		"mongodb://h/db?w=x&ssl=7": catalog.ErrInvalid,
		"http://h/db":              catalog.ErrInvalid,
	} {
		if _, err := mongostore.Open(t.Context(), url, quick); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", url, err, want)
		}
	}
	existing := &mongostore.Options{Existing: true}
	if _, err := mongostore.Open(t.Context(), database(t, server(t)), existing); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("no store: %v", err)
	}
}
