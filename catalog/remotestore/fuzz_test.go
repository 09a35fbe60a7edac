package remotestore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/memstore"
)

// decoders are all that reads a payload, each with a payload of its own.
func decoders() map[string]struct {
	seed   []byte
	decode func(*decoder) any
} {
	type entry = struct {
		seed   []byte
		decode func(*decoder) any
	}
	seq := catalog.Seq(7)
	head := catalog.Head{Kind: catalog.KindProduct, Key: "k", Hash: catalog.Hash{1}, Seq: 300, Source: "erp"}
	write := catalog.Write{
		Kind: catalog.KindProduct, Key: "k", Body: []byte("{}"), Hash: catalog.Hash{1}, Source: "erp", If: &seq,
		Refs: []catalog.Ref{{Type: catalog.RefURLKey, Store: "de", Value: "schuh"}},
	}
	lease := catalog.LeaseInfo{Fence: catalog.Fence{Name: "n", Token: 9}, Holder: "me", Since: time.Unix(1, 0).UTC(), Expires: time.Unix(2, 0).UTC()}
	at := catalog.Cursor{Epoch: "E", Seq: 9}
	return map[string]entry{
		"head":     {appendHead(nil, &head), func(d *decoder) any { return d.head() }},
		"record":   {append(appendHead(nil, &head), "{}"...), func(d *decoder) any { return d.record() }},
		"nothing":  {[]byte{0}, func(d *decoder) any { return d.record() }},
		"change":   {appendChange(nil, catalog.Change{Seq: 5, Kind: catalog.KindPrice, Op: catalog.OpPut, Key: "k"}), func(d *decoder) any { return d.change() }},
		"write":    {append(appendWrite(nil, &write), write.Body...), func(d *decoder) any { return d.write() }},
		"results":  {appendResults(nil, []catalog.Result{{Outcome: catalog.Created, Seq: 500}}), func(d *decoder) any { return d.results() }},
		"lease":    {appendLease(nil, lease), func(d *decoder) any { return d.lease() }},
		"follower": {appendFollower(nil, catalog.Follower{Name: "f", At: at, Moved: time.Unix(1, 0).UTC(), Behind: -3}), func(d *decoder) any { return d.follower() }},
		"cursor":   {appendCursor(nil, at), func(d *decoder) any { return d.cursor() }},
		"ref":      {appendRef(nil, write.Refs[0]), func(d *decoder) any { return d.ref() }},
		"fence":    {appendFence(nil, lease.Fence), func(d *decoder) any { return d.fence() }},
	}
}

// TestDecodersReadAll: what is written is read to its end, and nothing less is.
func TestDecodersReadAll(t *testing.T) {
	for name, c := range decoders() {
		d := decoder{b: c.seed}
		if c.decode(&d); d.end() != nil {
			t.Errorf("%s: %v", name, d.err)
		}
		cut := decoder{b: c.seed[:len(c.seed)-1]}
		if v := c.decode(&cut); cut.end() == nil && name != "record" && name != "write" {
			t.Errorf("%s, cut off: %+v", name, v)
		}
	}
}

func FuzzDecode(f *testing.F) {
	all := decoders()
	var names []string
	for name, c := range all {
		names = append(names, name)
		f.Add(c.seed)
	}
	slices.Sort(names)
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, name := range names {
			d := decoder{b: payload}
			v := all[name].decode(&d)
			if err := d.end(); err != nil && !errors.Is(err, errFrame) {
				t.Errorf("%s: %v", name, err)
			}
			if w, ok := v.(catalog.Write); ok && d.err == nil {
				again := decoder{b: append(appendWrite(nil, &w), w.Body...)}
				if got := again.write(); again.end() != nil || !reflect.DeepEqual(got, w) {
					t.Errorf("%+v is read back as %+v, %v", w, got, again.err)
				}
			}
			if h, ok := v.(catalog.Head); ok && d.err == nil {
				again := decoder{b: appendHead(nil, &h)}
				if got := again.head(); again.end() != nil || got != h {
					t.Errorf("%+v is read back as %+v, %v", h, got, again.err)
				}
			}
		}
	})
}

func FuzzDecodeError(f *testing.F) {
	f.Add(appendError(nil, catalog.ErrTrimmed))
	f.Add(appendError(nil, &catalog.ApplyError{Failed: []int{0, 300}, Err: catalog.ErrConflict}))
	f.Add(appendError(nil, &catalog.InvalidError{Reason: catalog.ReasonKey, Path: "sku", Offset: -1, Detail: "is empty"}))
	f.Add(appendError(nil, &catalog.LeasedError{LeaseInfo: catalog.LeaseInfo{Holder: "x"}}))
	f.Fuzz(func(t *testing.T, payload []byte) {
		err := decodeError(payload)
		if err == nil {
			t.Fatal("no error")
		}
		_ = err.Error()
		// What was understood means the same when it is sent on.
		if again := decodeError(appendError(nil, err)); !errors.Is(err, errFrame) {
			for _, s := range sentinels {
				if errors.Is(err, s) != errors.Is(again, s) {
					t.Errorf("%v: %v comes out as %v", s, err, again)
				}
			}
		}
	})
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte(preface))
	f.Add(request([]byte("args")))
	f.Add(append([]byte(preface), frameItem, 0xff, 0xff, 0xff, 0x0f))
	f.Add(append([]byte(preface), frameItem, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := newFrameReader(bytes.NewReader(stream))
		for {
			_, payload, err := r.next()
			if err == nil {
				continue
			}
			if len(payload) > len(stream) || !errors.Is(err, errFrame) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d bytes of payload, %v", len(payload), err)
			}
			return
		}
	})
}

// FuzzHandler sends hostile requests to every call.
func FuzzHandler(f *testing.F) {
	var names []string
	for name := range calls {
		names = append(names, name)
	}
	slices.Sort(names)
	for i := range names {
		f.Add(uint8(i), []byte{1, 1, 'k'})
		f.Add(uint8(i), []byte{0})
	}
	store := memstore.New()
	h := NewHandler(store, nil)
	f.Fuzz(func(t *testing.T, n uint8, args []byte) {
		name := names[int(n)%len(names)]
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		for _, body := range [][]byte{request(args), args, append([]byte(preface), args...)} {
			r := httptest.NewRequest(http.MethodPost, Path+name, bytes.NewReader(body)).WithContext(ctx)
			r.Header.Set("Content-Type", contentType)
			w := httptest.NewRecorder()
			func() {
				defer func() {
					p := recover()
					if err, ok := p.(error); p != nil && (!ok || !errors.Is(err, http.ErrAbortHandler)) {
						panic(p)
					}
				}()
				h.ServeHTTP(w, r)
			}()
			if w.Code != http.StatusOK {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
	})
}

// TestHostileLength: memory follows what arrives, not what was announced.
func TestHostileLength(t *testing.T) {
	stream := append([]byte(preface), frameItem, 0x80, 0x80, 0x80, 0x10) // 32 MiB
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, _, err := newFrameReader(bytes.NewReader(stream)).next(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 100<<20 {
		t.Errorf("100 empty frames took %d bytes", took)
	}
}
