package remotestore

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"catalog/catalog"
)

// keyBytes is how long the keys of one call may be together.
const keyBytes = 4 << 20

// inGroups calls f with groups of keys that fit into a call each, once at
// least, and with the place of the first one.
func inGroups(keys []catalog.Key, f func(first int, args []byte, n int) error) error {
	for first := 0; ; {
		n, size := 0, 0
		for first+n < len(keys) && n < maxKeys && size < keyBytes {
			size += len(keys[first+n]) + 3
			n++
		}
		args := binary.AppendUvarint(make([]byte, 0, size+8), uint64(n))
		for _, k := range keys[first : first+n] {
			if len(k) > catalog.MaxKey {
				k = "" // no record has that either
			}
			args = appendString(args, k)
		}
		if err := f(first, args, n); err != nil {
			return err
		}
		if first += n; first >= len(keys) {
			return nil
		}
	}
}

// Get implements catalog.Store.
func (s *Store) Get(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Record, error) {
	out := make([]catalog.Record, len(keys))
	err := many(ctx, s, "get", kind, keys, func(i int, d *decoder) {
		r := d.record()
		r.Body = bytes.Clone(r.Body)
		out[i] = r
	})
	if err != nil {
		return nil, wrap("get", err)
	}
	return out, nil
}

// HeadsOf implements catalog.Store.
func (s *Store) HeadsOf(ctx context.Context, kind catalog.Kind, keys ...catalog.Key) ([]catalog.Head, error) {
	out := make([]catalog.Head, len(keys))
	err := many(ctx, s, "headsof", kind, keys, func(i int, d *decoder) { out[i] = d.head() })
	if err != nil {
		return nil, wrap("heads", err)
	}
	return out, nil
}

// many asks for something of each key.
func many(ctx context.Context, s *Store, name string, kind catalog.Kind, keys []catalog.Key, answer func(i int, d *decoder)) error {
	return inGroups(keys, func(first int, args []byte, n int) error {
		got := 0
		err := s.unary(ctx, name, true, append([]byte{byte(kind)}, args...), func(d *decoder, i int) error {
			if i >= n {
				d.fail("more answers than keys")
				return nil
			}
			answer(first+i, d)
			got = i + 1
			return nil
		})
		if err == nil && got < n {
			err = fmt.Errorf("%s: %w: fewer answers than keys", s.peer, errFrame)
		}
		return err
	})
}

// Lookup implements catalog.Store.
func (s *Store) Lookup(ctx context.Context, ref catalog.Ref) ([]catalog.Key, error) {
	var out []catalog.Key
	err := s.unary(ctx, "lookup", true, appendRef(nil, ref), func(d *decoder, i int) error {
		out = append(out[:i], catalog.Key(d.rest()))
		return nil
	})
	if err != nil {
		return nil, wrap("lookup", err)
	}
	return out, nil
}

// Tail implements catalog.Store.
func (s *Store) Tail(ctx context.Context) (at catalog.Cursor, err error) {
	err = s.one(ctx, "tail", true, nil, func(d *decoder) { at = d.cursor() })
	return at, wrap("tail", err)
}

// Wait implements catalog.Store. It does not poll: the call waits in the
// process that has the store.
func (s *Store) Wait(ctx context.Context, after catalog.Cursor) error {
	return wrap("wait for changes", s.unary(ctx, "wait", true, appendCursor(nil, after), nil))
}

// fenced are the arguments of a call that a lost lease forbids.
func fenced(ctx context.Context) []byte {
	f, ok := catalog.FenceOf(ctx)
	if !ok {
		return []byte{0}
	}
	return appendFence([]byte{1}, f)
}

// Follow implements catalog.Store.
func (s *Store) Follow(ctx context.Context, name string, at catalog.Cursor) error {
	return wrap("follow", s.unary(ctx, "follow", false, appendCursor(appendString(fenced(ctx), name), at), nil))
}

// Unfollow implements catalog.Store.
func (s *Store) Unfollow(ctx context.Context, name string) error {
	return wrap("unfollow", s.unary(ctx, "unfollow", false, appendString(nil, name), nil))
}

// Followers implements catalog.Store.
func (s *Store) Followers(ctx context.Context) ([]catalog.Follower, error) {
	var out []catalog.Follower
	err := s.unary(ctx, "followers", true, nil, func(d *decoder, i int) error {
		out = append(out[:i], d.follower())
		return nil
	})
	if err != nil {
		return nil, wrap("followers", err)
	}
	return out, nil
}

// Trim implements catalog.Store.
func (s *Store) Trim(ctx context.Context, upTo catalog.Seq) (last catalog.Seq, err error) {
	err = s.one(ctx, "trim", false, binary.AppendUvarint(nil, uint64(upTo)), func(d *decoder) { last = catalog.Seq(d.uint()) })
	return last, wrap("trim the log", err)
}

// Meta implements catalog.Store.
func (s *Store) Meta(ctx context.Context, name string) (value []byte, err error) {
	err = s.one(ctx, "meta", true, appendString(nil, name), func(d *decoder) { value = append([]byte{}, d.rest()...) })
	if err != nil {
		return nil, wrap("meta", err)
	}
	return value, nil
}

// SetMeta implements catalog.Store.
func (s *Store) SetMeta(ctx context.Context, name string, value []byte) error {
	if len(value) > catalog.MaxBody {
		if err := ctx.Err(); err != nil {
			return wrap("set meta", err)
		}
		return wrap("set meta", fmt.Errorf("%w: %q has %d bytes, more than %d", catalog.ErrInvalid, name, len(value), catalog.MaxBody))
	}
	args := appendBool(appendString(fenced(ctx), name), value != nil)
	return wrap("set meta", s.unary(ctx, "setmeta", false, append(args, value...), nil))
}

// Stats implements catalog.Store. Its Extra says who has the store.
func (s *Store) Stats(ctx context.Context) (catalog.Stats, error) {
	var st catalog.Stats
	var text []byte
	err := s.one(ctx, "stats", true, nil, func(d *decoder) { text = append([]byte(nil), d.rest()...) })
	if err == nil {
		if jerr := json.Unmarshal(text, &st); jerr != nil {
			err = fmt.Errorf("%s: %w: %w", s.peer, errFrame, jerr)
		}
	}
	if err != nil {
		return catalog.Stats{}, wrap("stats", err)
	}
	if st.Extra == nil {
		st.Extra = map[string]string{}
	}
	st.Extra["shared_by"] = s.peer
	return st, nil
}

// Compact implements catalog.Compacter, in the process that has the store. The
// error is errors.ErrUnsupported when its store has no files to compact.
func (s *Store) Compact(ctx context.Context) error {
	return wrap("compact", s.unary(ctx, "compact", true, nil, nil))
}

// quick is how long what has no context may take.
const quick = 5 * time.Second

// Untidy implements catalog.Compacter; a store that cannot be asked is tidy.
func (s *Store) Untidy() bool {
	ctx, cancel := context.WithTimeout(context.Background(), quick)
	defer cancel()
	untidy := false
	err := s.one(ctx, "untidy", true, nil, func(d *decoder) { untidy = d.bool() })
	return err == nil && untidy
}
