package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// TestImportS3 imports what is in a bucket.
func TestImportS3(t *testing.T) {
	bucket := s3mem.New()
	if err := bucket.CreateBucket("feeds"); err != nil {
		t.Fatal(err)
	}
	for key, text := range map[string]string{
		"night/a.jsonl": `{"sku":"A","price":1}` + "\n" + `{"sku":"B"}` + "\n", "night/b.csv": "sku,name\nC,third\n", "other.jsonl": `{"sku":"X"}` + "\n",
	} {
		meta := map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}
		if _, err := bucket.PutObject("feeds", key, meta, strings.NewReader(text), int64(len(text)), nil); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(gofakes3.New(bucket, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ENDPOINT_URL_S3": "", "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_SESSION_TOKEN": "", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args   string
		status int
		stdout string
	}{
		{"import --no-index --mode sync --source erp s3://feeds/night/", 0, "3"},
		{"import --no-index --mode sync --source erp s3://feeds/night/*", 0, "unchanged"},
		{"get A B C", 0, `"third"`},
		{"get X", statusFailed, ""},
		{"inspect s3://feeds/night/a.jsonl", 0, "sku"},
		{"import --no-index s3://feeds/none.jsonl", statusFailed, ""},
		{"import --no-index s3://nowhere/*", statusFailed, ""},
	} {
		got := catalogRun(t, nil, strings.Fields(c.args)...)
		if got.status != c.status || !strings.Contains(got.stdout, c.stdout) {
			t.Errorf("catalog %s: status %d, want %d\n%s%s", c.args, got.status, c.status, got.stdout, got.stderr)
		}
		if strings.Contains(got.stdout+got.stderr, "s3cr3t") {
			t.Errorf("catalog %s tells the secret", c.args)
		}
	}
}
