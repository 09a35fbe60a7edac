package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// expressions returns all PromQL of the dashboards and rules in deploy/.
func expressions(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, pattern := range []string{"../../deploy/grafana/*.json", "../../deploy/prometheus/*.yml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var doc any
			if err := yaml.Unmarshal(text, &doc); err != nil { // JSON is YAML
				t.Fatalf("%s: %v", path, err)
			}
			var walk func(v any)
			walk = func(v any) {
				switch v := v.(type) {
				case map[string]any:
					if e, ok := v["expr"].(string); ok {
						out[path] = append(out[path], e)
					}
					for _, x := range v {
						walk(x)
					}
				case []any:
					for _, x := range v {
						walk(x)
					}
				}
			}
			walk(doc)
			if len(out[path]) == 0 {
				t.Errorf("%s asks for nothing", path)
			}
		}
	}
	return out
}

var (
	metricName   = regexp.MustCompile(`\b(?:catalog|go|process)_[a-z0-9_]+`)
	metricLabels = regexp.MustCompile(`\b((?:catalog|go|process)_[a-z0-9_]+)\{([^}]*)\}`)
	labelName    = regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)`)
)

// TestWatched holds dashboards and rules to metrics, and labels of theirs, that
// a running server has.
func TestWatched(t *testing.T) {
	dir := shopFolder(t)
	cache := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	t.Cleanup(cache.Close)
	srv := startServer(t, dir, []string{"CATALOG_TOKENS=import:" + serveToken}, 2, "serve", "--listen", "127.0.0.1:0", "--private", "127.0.0.1:0", "--purge", cache.URL)
	waitReady(t, srv)
	if status, text := request(t, http.MethodPost, srv.url("shoppers", "/v1/imports?format=jsonl&source=web"), serveToken, `{"sku":"LAMP","name":"Lamp"}`); status != http.StatusOK {
		t.Fatal(status, text)
	}
	if status, text := request(t, http.MethodGet, srv.url("shoppers", "/v1/search?q=chair"), "", ""); status != http.StatusOK {
		t.Fatal(status, text)
	}
	time.Sleep(statusLife) // what is told of the store is kept for a second
	_, text := request(t, http.MethodGet, srv.url("operators", "/metrics"), "", "")
	series := map[string]string{} // name → labels of all its series
	for line := range strings.Lines(text) {
		if name := metricName.FindString(line); name != "" && line[0] != '#' {
			series[name] += " " + line
		}
	}
	for path, list := range expressions(t) {
		for _, e := range list {
			plain := metricLabels.ReplaceAllString(e, "$1")
			for _, name := range metricName.FindAllString(plain, -1) {
				if series[name] == "" {
					t.Errorf("%s: %s: the server has no %s", path, e, name)
				}
			}
			for _, m := range metricLabels.FindAllStringSubmatch(e, -1) {
				for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
					if l[1] != "instance" && !strings.Contains(series[m[1]], l[1]+`="`) { // Prometheus adds that one
						t.Errorf("%s: %s: %s has no label %s", path, e, m[1], l[1])
					}
				}
			}
			if strings.Count(e, "(") != strings.Count(e, ")") || strings.Count(e, "{") != strings.Count(e, "}") {
				t.Errorf("%s: %s is not closed", path, e)
			}
		}
	}
	srv.stop()
}

// statusLife is how long a server keeps what it tells of store and index.
const statusLife = 1100 * time.Millisecond

func waitReady(t *testing.T, srv *server) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		status, text := request(t, http.MethodGet, srv.url("shoppers", "/readyz"), "", "")
		if status == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			t.Fatal(text)
		}
	}
}

// TestRulesComplete: each alert says how bad it is, and what to do.
func TestRulesComplete(t *testing.T) {
	text, err := os.ReadFile("../../deploy/prometheus/catalog.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Record      string            `yaml:"record"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			name := r.Alert + r.Record
			if name == "" || r.Expr == "" || names[name] || (r.Alert == "") == (r.Record == "") {
				t.Errorf("%+v", r)
			}
			names[name] = true
			if r.Alert == "" {
				continue
			}
			if s := r.Labels["severity"]; s != "critical" && s != "warning" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s: %+v", r.Alert, r)
			}
			if _, err := time.ParseDuration(r.For); r.For != "" && err != nil {
				t.Errorf("%s: for %s", r.Alert, r.For)
			}
		}
	}
	if len(names) < 10 {
		t.Errorf("only %d rules", len(names))
	}
}

// TestServeUnit checks the command line of the unit that serves, and the unit
// by systemd itself where that is installed.
func TestServeUnit(t *testing.T) {
	const path = "../../deploy/systemd/catalog-serve.service"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	start := regexp.MustCompile(`(?m)^ExecStart=\S*/catalog (.*)$`).FindSubmatch(text)
	if start == nil {
		t.Fatal("the unit starts nothing")
	}
	cmd, rest, err := newRootCommand(&app{}).Find(strings.Fields(string(start[1])))
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err != nil || cmd.Name() != "serve" {
		t.Errorf("%s: %v", start[1], err)
	}
	// Varnish asks where the unit listens.
	vcl, err := os.ReadFile("../../deploy/varnish/backends.vcl")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(cmd.Flag("listen").Value.String(), ":")
	if m := regexp.MustCompile(`(?s)backend catalog \{.*?\.port = "(\d+)"`).FindSubmatch(vcl); m == nil || string(m[1]) != port {
		t.Errorf("the unit listens on %s, backends.vcl says %s", port, m)
	}
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd is not installed here: the unit's words are not checked by it")
		return
	}
	// Where the program is is the operator's business.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/catalog", self)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), program, "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), filepath.Base(path)) {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}

// TestDashboardJSON: what is imported into Grafana is JSON, and its panels do
// not lie upon each other.
func TestDashboardJSON(t *testing.T) {
	text, err := os.ReadFile("../../deploy/grafana/catalog.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		UID    string `json:"uid"`
		Panels []struct {
			ID    int    `json:"id"`
			Title string `json:"title"`
			Pos   struct {
				H, W, X, Y int
			} `json:"gridPos"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	taken := map[[2]int]string{}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || p.Pos.X+p.Pos.W > 24 || p.Pos.W == 0 {
			t.Errorf("%+v", p)
		}
		ids[p.ID] = true
		for x := range p.Pos.W {
			for y := range p.Pos.H {
				at := [2]int{p.Pos.X + x, p.Pos.Y + y}
				if other := taken[at]; other != "" {
					t.Fatalf("%q lies upon %q", p.Title, other)
				}
				taken[at] = p.Title
			}
		}
	}
	if board.UID == "" || len(ids) < 20 {
		t.Errorf("%q has %d panels", board.UID, len(ids))
	}
}
