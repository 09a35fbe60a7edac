package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

const (
	s3Scheme   = "s3://"
	s3Endpoint = "https://s3.amazonaws.com"
	// s3Tries is how often a listing is tried; objects are fetched as URLs are.
	s3Tries = 4
)

// bucket is a place for objects behind the protocol of S3.
type bucket struct {
	client minio.Core
	name   string
}

// addS3 adds the objects that s3://BUCKET/KEY names: one, those that a glob
// matches (in which * stops at a slash, as in the names of files), or the feeds
// right below a key that ends in a slash.
func (e *expansion) addS3(ctx context.Context, arg string) error {
	name, key, _ := strings.Cut(strings.TrimPrefix(arg, s3Scheme), "/")
	if err := s3utils.CheckValidBucketName(name); err != nil {
		return fmt.Errorf("%w: use s3://BUCKET/KEY: %v", ErrOption, err)
	}
	if e.buckets == nil {
		e.buckets = map[string]*bucket{}
	}
	b := e.buckets[name]
	if b == nil {
		client, err := connectS3(e.opts.Client, os.Getenv)
		if err != nil {
			return err
		}
		b = &bucket{client: minio.Core{Client: client}, name: name}
		e.buckets[name] = b
	}
	switch {
	case key == "" || strings.HasSuffix(key, "/"):
		return e.addS3Folder(ctx, b, key)
	case strings.ContainsAny(key, "*?["):
		return e.addS3Glob(ctx, b, key)
	}
	e.addObject(b, key, "")
	return nil
}

// connectS3 returns a client that is set up as S3's own tools are: by the
// AWS_… variables of the environment, else the files ~/.aws/credentials and
// config, else the role of the machine or the container. Without any of these
// it is nobody, who may read what is public.
func connectS3(custom *http.Client, env func(string) string) (*minio.Client, error) {
	endpoint := cmp.Or(env("AWS_ENDPOINT_URL_S3"), env("AWS_ENDPOINT_URL"), s3Endpoint)
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return nil, fmt.Errorf("%w: AWS_ENDPOINT_URL is no URL of a server: use https://HOST[:PORT]", ErrOption)
	}
	client := custom
	if client == nil {
		client = fetchClient()
	}
	chain := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
	if !strings.EqualFold(env("AWS_EC2_METADATA_DISABLED"), "true") {
		// Where there is no such service, nobody answers.
		chain = append(chain, &credentials.IAM{Client: &http.Client{Timeout: 2 * time.Second}})
	}
	c, err := minio.New(u.Host, &minio.Options{
		Creds:  credentials.NewChainCredentials(chain),
		Secure: u.Scheme == "https",
		// Servers other than Amazon's have none, or answer to any.
		Region:     cmp.Or(env("AWS_REGION"), env("AWS_DEFAULT_REGION")),
		Transport:  client.Transport,
		MaxRetries: s3Tries,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrOption, err)
	}
	return c, nil
}

// addObject adds one object; tag is what it was when it was listed, if it was.
func (e *expansion) addObject(b *bucket, key, tag string) {
	e.inputs = append(e.inputs, &Input{Name: s3Scheme + b.name + "/" + key, opts: e.opts, stream: func(ctx context.Context) (io.ReadCloser, error) {
		return b.get(ctx, key, tag)
	}})
}

func (e *expansion) addS3Folder(ctx context.Context, b *bucket, prefix string) error {
	objects, err := b.list(ctx, prefix, false, func(key string) bool {
		name := path.Base(key)
		return !strings.HasPrefix(name, ".") && isFeedName(name)
	})
	if err != nil {
		return err
	}
	if len(objects) == 0 {
		return fmt.Errorf("%w: nothing right below it ends in .jsonl, .ndjson, .json, .csv, .tsv, .txt or .parquet (or these and .gz or .zst)", ErrNoFeed)
	}
	for _, o := range objects {
		e.addObject(b, o.Key, o.ETag)
	}
	return nil
}

func (e *expansion) addS3Glob(ctx context.Context, b *bucket, pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("%w: %v", ErrOption, err)
	}
	prefix, rest := pattern, ""
	if i := strings.IndexAny(pattern, `*?[\`); i >= 0 {
		prefix, rest = pattern[:i], pattern[i:]
	}
	objects, err := b.list(ctx, prefix, strings.Contains(rest, "/"), func(key string) bool {
		ok, _ := path.Match(pattern, key) // the pattern is a good one
		return ok
	})
	if err != nil {
		return err
	}
	if len(objects) == 0 {
		return fmt.Errorf("%w: no object matches", ErrNoFeed)
	}
	for _, o := range objects {
		e.addObject(b, o.Key, o.ETag)
	}
	return nil
}

// list returns the objects that begin with prefix and that want wants, in the
// order of their keys: deep ones too, or those up to the next slash.
func (b *bucket) list(ctx context.Context, prefix string, deep bool, want func(key string) bool) ([]minio.ObjectInfo, error) {
	inner, cancel := context.WithCancel(ctx) // ends the listing, whose channel nobody reads then
	defer cancel()
	var found []minio.ObjectInfo
	for o := range b.client.Client.ListObjects(inner, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: deep}) {
		if o.Err != nil {
			return nil, s3Error(ctx, o.Err)
		}
		if !strings.HasSuffix(o.Key, "/") && want(o.Key) { // one that ends in a slash stands for a folder
			found = append(found, o)
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	slices.SortFunc(found, func(x, y minio.ObjectInfo) int { return cmp.Compare(x.Key, y.Key) })
	return found, nil
}

// get asks for an object once and returns its content.
func (b *bucket) get(ctx context.Context, key, tag string) (io.ReadCloser, error) {
	outer := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	var o minio.GetObjectOptions
	if tag != "" {
		if err := o.SetMatchETag(tag); err != nil {
			cancel(nil)
			return nil, fmt.Errorf("%w: %v", ErrOption, err)
		}
	}
	body, info, _, err := b.client.GetObject(ctx, b.name, key, o)
	if err != nil {
		err = s3Error(outer, err)
		cancel(nil)
		return nil, err
	}
	f := &fetched{body: body, ctx: ctx, cancel: cancel}
	f.timer = time.AfterFunc(fetchStall, func() { cancel(errStalled) })
	if tag != "" && info.ETag != tag { // a server that does not know conditions
		return nil, errors.Join(fmt.Errorf("%w: another object has taken its place", ErrChanged), f.Close())
	}
	return f, nil
}

// s3Error says why the server did not give what it was asked for, without the
// request, which is signed.
func s3Error(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return &transientError{fmt.Errorf("%w: %v", ErrFetch, err)}
	}
	switch answer.Code {
	case minio.NoSuchBucket:
		return fmt.Errorf("%w: %w: there is no such bucket", ErrFetch, os.ErrNotExist)
	case minio.NoSuchKey:
		return fmt.Errorf("%w: %w: there is no such object", ErrFetch, os.ErrNotExist)
	case minio.PreconditionFailed:
		return fmt.Errorf("%w: another object has taken its place", ErrChanged)
	case minio.XMinioInvalidObjectName:
		return fmt.Errorf("%w: %s", ErrOption, answer.Message)
	}
	err = fmt.Errorf("%w: the server answered %d %s: %.200q", ErrFetch, answer.StatusCode, answer.Code, answer.Message)
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &transientError{err}
	case http.StatusForbidden, http.StatusUnauthorized:
		return fmt.Errorf("%w; credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws", err)
	}
	return err
}
