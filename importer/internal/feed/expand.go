package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// extensions are those of the files that a folder is searched for, and the
// format that each speaks for when the content does not decide.
var extensions = map[string]string{
	".jsonl": JSONL, ".ndjson": JSONL, ".json": JSON,
	".csv": CSV, ".tsv": CSV, ".tab": CSV, ".txt": "",
	".parquet": Parquet, ".pq": Parquet,
}

// Expand returns the inputs that args name, in the order of args: files,
// globs, folders (the feeds in them by name; not hidden ones, none in
// subfolders), http and https URLs, s3://BUCKET/KEY with the same globs and
// folders, and "-" for opts.Stdin. Globs and folders leave out nothing
// silently: one without feeds is ErrNoFeed. Nothing but names is looked at;
// Open reads.
func Expand(ctx context.Context, args []string, opts Options) ([]*Input, error) {
	e := &expansion{opts: opts}
	for _, arg := range args {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := e.add(ctx, arg); err != nil {
			return nil, fmt.Errorf("feed: %s: %w", arg, err)
		}
	}
	if len(e.inputs) == 0 {
		return nil, fmt.Errorf("feed: %w: none was named", ErrNoFeed)
	}
	return e.inputs, nil
}

type expansion struct {
	opts    Options
	inputs  []*Input
	stdin   bool               // "-" was named
	buckets map[string]*bucket // that were named
}

func (e *expansion) add(ctx context.Context, arg string) error {
	switch {
	case arg == "-":
		return e.addStdin()
	case strings.HasPrefix(arg, "http://"), strings.HasPrefix(arg, "https://"):
		return e.addURL(arg)
	case strings.HasPrefix(arg, s3Scheme):
		return e.addS3(ctx, arg)
	}
	info, err := os.Stat(arg)
	switch {
	case err == nil:
		return e.addFile(arg, info)
	case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(arg, "*?["):
		return e.addGlob(arg)
	}
	return pathless(err)
}

func (e *expansion) addStdin() error {
	switch {
	case e.opts.Stdin == nil:
		return fmt.Errorf("%w: there is no standard input", ErrOption)
	case e.stdin:
		return fmt.Errorf("%w: standard input can be read only once", ErrOption)
	}
	e.stdin = true
	e.inputs = append(e.inputs, &Input{Name: "-", opts: e.opts, stream: func(ctx context.Context) (io.ReadCloser, error) {
		return openStdin(ctx, e.opts.Stdin)
	}})
	return nil
}

func (e *expansion) addURL(arg string) error {
	u, err := url.Parse(arg)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%w: not a URL", ErrOption)
	}
	e.inputs = append(e.inputs, &Input{Name: publicURL(u), opts: e.opts, stream: func(ctx context.Context) (io.ReadCloser, error) {
		return get(ctx, u, e.opts)
	}})
	return nil
}

func (e *expansion) addGlob(pattern string) error {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrOption, err)
	}
	if len(names) == 0 {
		return fmt.Errorf("%w: no file matches", ErrNoFeed)
	}
	slices.Sort(names)
	for _, name := range names {
		info, err := os.Stat(name)
		if err == nil {
			err = e.addFile(name, info)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, pathless(err))
		}
	}
	return nil
}

func (e *expansion) addFile(name string, info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return e.addFolder(name)
	case mode.IsRegular():
		e.inputs = append(e.inputs, &Input{Name: name, Size: info.Size(), path: name, info: info, opts: e.opts})
		return nil
	case mode&(fs.ModeNamedPipe|fs.ModeCharDevice) != 0:
		e.inputs = append(e.inputs, &Input{Name: name, opts: e.opts, stream: func(ctx context.Context) (io.ReadCloser, error) {
			return openPipe(ctx, name)
		}})
		return nil
	}
	return fmt.Errorf("%w: neither a file nor a folder", ErrNoFeed)
}

func (e *expansion) addFolder(dir string) error {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return pathless(err)
	}
	before := len(e.inputs)
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || !isFeedName(name) {
			continue
		}
		path := filepath.Join(dir, name)
		info, err := os.Stat(path) // follows links
		if err != nil {
			return fmt.Errorf("%s: %w", name, pathless(err))
		}
		if !info.Mode().IsRegular() {
			continue
		}
		if err := e.addFile(path, info); err != nil {
			return err
		}
	}
	if len(e.inputs) == before {
		return fmt.Errorf("%w: the folder has no file that ends in .jsonl, .ndjson, .json, .csv, .tsv, .txt or .parquet (or these and .gz or .zst)", ErrNoFeed)
	}
	return nil
}

// isFeedName reports that a file in a folder is meant to be a feed.
func isFeedName(name string) bool {
	_, ok := extensions[extension(name)]
	return ok
}

// extension returns a file name's extension, in lower case, looking through
// that of a compression.
func extension(name string) string {
	name = strings.ToLower(name)
	for _, ext := range []string{".gz", ".gzip", ".zst", ".zstd"} {
		if rest, ok := strings.CutSuffix(name, ext); ok {
			name = rest
			break
		}
	}
	return filepath.Ext(name)
}

// publicURL is u without what may be secret.
func publicURL(u *url.URL) string {
	c := *u
	c.User, c.Fragment = nil, ""
	if c.RawQuery != "" {
		c.RawQuery = ""
		return c.String() + "?…"
	}
	return c.String()
}

// fileName is the part of the input's name that may tell its format.
func (in *Input) fileName() string {
	name := strings.TrimSuffix(in.Name, "?…")
	if i := bytes.LastIndexByte([]byte(name), '/'); i >= 0 {
		name = name[i+1:]
	}
	return name
}
