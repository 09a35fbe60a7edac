package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"catalog/importer"
)

// result is what a command line came to.
type result struct {
	status         int
	stdout, stderr string
}

// catalogRun runs a command line in a folder of its own unless the test is in
// one, with nothing but env in the environment.
func catalogRun(t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, system{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	})
	return result{status, stdout.String(), stderr.String()}
}

func TestUsageErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("feed.jsonl", []byte(`{"sku":"a"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"nonsense", "--nonsense", "import", "import --nonsense feed.jsonl", "import --kind cars feed.jsonl",
		"import --mode replace feed.jsonl", "import --max-rejects many feed.jsonl", "import --max-delete 101% feed.jsonl",
		"import --max-delete -1 feed.jsonl", "import --workers -1 feed.jsonl", "import --source= feed.jsonl",
		"import --map none.yaml feed.jsonl", "import --schema none.json feed.jsonl", "import --rejects - --report - feed.jsonl",
		"import --log-level loud feed.jsonl", "import --log-format xml feed.jsonl", "import --config none.yaml feed.jsonl",
		"--store data stats", "--store pebble: stats", "--store ftp://x stats", "--store mongodb://x stats", "--store http:// stats", "--store http://u:p@x stats", "--store http://x --store-token-file none stats",
		"get", "get --kind cars a", "get --raw --store-view de a", "delete", "delete --kind cars a", "delete", "stats x",
		"export x", "export --kind cars", "generate --format xml", "generate --churn much", "generate --malformed 2", "generate --records -1",
		"generate --format parquet --malformed 1%", "generate --profile moon", "imports show", "schema nonsense", "version x",
	} {
		got := catalogRun(t, nil, strings.Fields(args)...)
		if got.status != statusUsage || got.stderr == "" {
			t.Errorf("catalog %s: status %d, %q; want status %d and a message", args, got.status, got.stderr, statusUsage)
		}
		if entries, err := os.ReadDir("."); err != nil || len(entries) != 1 {
			t.Fatalf("catalog %s: left %v, %v", args, entries, err)
		}
	}
}

func TestExitStatus(t *testing.T) {
	tests := []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk on fire"), 1},
		{importer.ErrTooManyRejects, 1},
		{usagef("what?"), 2},
		{fmt.Errorf("importer: %w", importer.ErrUsage), 2},
		{reported{errRejects}, 3},
		{reported{fmt.Errorf("importer: %w", importer.ErrRefused)}, 4},
		{errInterrupted, 130},
		{fmt.Errorf("%w, %w", errInterrupted, importer.ErrRefused), 130},
	}
	for _, tt := range tests {
		if got := exitStatus(tt.err); got != tt.want {
			t.Errorf("exitStatus(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestParseLimit(t *testing.T) {
	tests := []struct {
		in   string
		want importer.Limit
		ok   bool
	}{
		{"0", importer.Limit{Set: true}, true},
		{"100", importer.Limit{Set: true, Count: 100}, true},
		{"2%", importer.Limit{Set: true, Count: -1, Percent: 2}, true},
		{" 0.5 %", importer.Limit{Set: true, Count: -1, Percent: 0.5}, true},
		{"none", importer.Limit{Set: true, None: true, Count: -1}, true},
		{"", importer.Limit{}, false},
		{"-1", importer.Limit{}, false},
		{"1.5", importer.Limit{}, false},
		{"x%", importer.Limit{}, false},
		{"101%", importer.Limit{}, false},
		{"NaN%", importer.Limit{}, false},
		{"-1%", importer.Limit{}, false},
	}
	for _, tt := range tests {
		got, err := parseLimit(tt.in)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("parseLimit(%q) = %+v, %v", tt.in, got, err)
		}
		if tt.ok {
			again, err := parseLimit(limitValue{limit: &got}.String())
			if again != tt.want || err != nil {
				t.Errorf("%q is shown as %s", tt.in, limitValue{limit: &got})
			}
		}
	}
}

// TestSettings checks what is in effect: flag, then environment, then file.
func TestSettings(t *testing.T) {
	const file = "store: pebble:./file\nsource: all\nlog-level: debug\nimport:\n  max-rejects: 1%\n  source: imp\n  no-progress: true\nexport:\n  kind: [prices, stock]\nstores:\n  de: {language: de}\n"
	tests := []struct {
		name string
		file string
		env  map[string]string
		args string
		want []string // lines of catalog config
		none []string // parts that are not in it
	}{
		{name: "nothing"},
		{name: "file", file: file, want: []string{
			`store: "pebble:./file" # catalog.yaml:1`, `log-level: "debug" # catalog.yaml:3`, `  max-rejects: "1%" # catalog.yaml:5`,
			`  source: "imp" # catalog.yaml:6`, `  no-progress: true # catalog.yaml:7`, `  kind: "[prices,stock]" # catalog.yaml:9`,
		}},
		{name: "environment over file", file: file, env: map[string]string{"CATALOG_STORE": "pebble:./env", "CATALOG_IMPORT_MAX_REJECTS": "none", "CATALOG_SOURCE": "env"}, want: []string{
			`store: "pebble:./env" # CATALOG_STORE`, `  max-rejects: "none" # CATALOG_IMPORT_MAX_REJECTS`, `  source: "env" # CATALOG_SOURCE`,
		}},
		{name: "the command's variable over that of all", env: map[string]string{"CATALOG_SOURCE": "all", "CATALOG_IMPORT_SOURCE": "one"}, want: []string{`  source: "one" # CATALOG_IMPORT_SOURCE`}},
		{name: "flag over all", file: file, env: map[string]string{"CATALOG_STORE": "pebble:./env"}, args: "--store pebble:./flag", want: []string{`store: "pebble:./flag" # --store`}},
		{name: "empty variables are unset", file: file, env: map[string]string{"CATALOG_STORE": ""}, want: []string{`store: "pebble:./file" # catalog.yaml:1`}},
		{name: "an empty file", file: "# nothing\n", none: []string{"store"}},
		{name: "defaults on request", args: "--all", want: []string{`store: "pebble:./data" # default`, `  max-delete: "10%" # default`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if tt.file != "" {
				if err := os.WriteFile(defaultConfig, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := catalogRun(t, tt.env, append([]string{"config"}, strings.Fields(tt.args)...)...)
			if got.status != 0 {
				t.Fatalf("status %d: %s", got.status, got.stderr)
			}
			lines := strings.Split(got.stdout, "\n")
			for _, want := range tt.want {
				if !strings.Contains(strings.Join(lines, "\n")+"\n", want+"\n") {
					t.Errorf("no line %q in\n%s", want, got.stdout)
				}
			}
			for _, none := range tt.none {
				if strings.Contains(got.stdout, none) {
					t.Errorf("%q in\n%s", none, got.stdout)
				}
			}
		})
	}
}

// TestConfigIsAFile reads the settings that catalog config prints back.
func TestConfigIsAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	env := map[string]string{"CATALOG_STORE": "pebble:./a b: #c", "CATALOG_IMPORT_MAX_DELETE": "3%", "CATALOG_GENERATE_RECORDS": "7"}
	first := catalogRun(t, env, "config")
	if err := os.WriteFile("other.yaml", []byte(first.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	second := catalogRun(t, map[string]string{"CATALOG_CONFIG": "other.yaml"}, "config")
	values := func(r result) string {
		var b strings.Builder
		for line := range strings.Lines(r.stdout) {
			value, _, _ := strings.Cut(line, " # "+"CATALOG_")
			value, _, _ = strings.Cut(value, " # other.yaml")
			b.WriteString(strings.TrimSpace(value) + "\n")
		}
		return b.String()
	}
	if second.status != 0 || values(first) != values(second) || !strings.Contains(first.stdout, "records: 7") {
		t.Errorf("printed\n%s\nread back as\n%s%s", first.stdout, second.stdout, second.stderr)
	}
}

// TestConfigErrors checks that a fault of the file is told with its line.
func TestConfigErrors(t *testing.T) {
	for text, place := range map[string]string{
		"store: x\nnonsense: 1\n":                  "catalog.yaml:2",
		"import:\n  kind: prices\n  max-reject: 1": "catalog.yaml:3",
		"nonsense:\n  a: 1\n":                      "catalog.yaml:1",
		"import:\n  max-rejects: {a: 1}\n":         "catalog.yaml:2",
		"stores:\n  de: {lang: de}\n":              "catalog.yaml:2",
		"stores: 3\n":                              "catalog.yaml:1",
		"import:\n  max-rejects: lots\n":           "catalog.yaml:2",
		"- a\n":                                    "catalog.yaml:1",
		"store: [\n":                               "catalog.yaml",
		"config: other.yaml\n":                     "catalog.yaml:1",
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile(defaultConfig, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := catalogRun(t, nil, "import", "feed.jsonl")
		if got.status != statusUsage || !strings.Contains(got.stderr, place+":") {
			t.Errorf("%q: status %d, %q; want %s", text, got.status, got.stderr, place)
		}
	}
}

// TestHelp checks that each command says what it does and how it ends.
func TestHelp(t *testing.T) {
	root := newRootCommand(&app{})
	for _, cmd := range root.Commands() {
		got := catalogRun(t, nil, cmd.Name(), "--help")
		if got.status != 0 || !strings.Contains(got.stdout, cmd.Short[1:len(cmd.Short)-1]) && cmd.Long == "" {
			t.Errorf("%s --help: status %d\n%s", cmd.Name(), got.status, got.stdout)
		}
		if !cmd.Runnable() || cmd.Name() == "version" || cmd.Name() == "completion" {
			continue
		}
		for _, want := range []string{"EXIT STATUS", "Usage:", "--store"} {
			if !strings.Contains(got.stdout, want) {
				t.Errorf("%s --help has no %q", cmd.Name(), want)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s is not explained", cmd.Name(), f.Name)
			}
		})
	}
	for line := range strings.Lines(rootLong + importLong + exportLong + getLong + feedsTopic + settingsTopic + exitTopic) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := catalogRun(t, nil, "completion", shell); got.status != 0 || !strings.Contains(got.stdout, "catalog") {
			t.Errorf("completion %s: status %d", shell, got.status)
		}
	}
	got := catalogRun(t, nil, "__complete", "import", "--mode", "")
	if !strings.Contains(got.stdout, "sync") {
		t.Errorf("--mode offers %q", got.stdout)
	}
}

// TestInterruptedBeforeStart checks that a signal wins over what it causes.
func TestInterruptedBeforeStart(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"generate", "-o", "feed.jsonl"}, system{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, lookup: func(string) (string, bool) { return "", false },
	})
	if status != statusInterrupted {
		t.Errorf("status %d: %s", status, &stderr)
	}
	if left, err := filepath.Glob("*"); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestFullDisk checks that output that has no room is an error.
func TestFullDisk(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Logf("%v: this system has no file that is always full", err)
		return
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("feed.jsonl", []byte(`{"sku":"a"}`+"\n"+`{"sku":""}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"import feed.jsonl --rejects " + full, "import feed.jsonl --report " + full,
		"export -o " + full, "export --format csv -o " + full, "generate --records 10 -o " + full,
	} {
		got := catalogRun(t, nil, strings.Fields(args)...)
		if got.status != statusFailed || !strings.Contains(got.stderr, "no space") {
			t.Errorf("catalog %s: status %d, %q", args, got.status, got.stderr)
		}
	}
	if got := catalogRun(t, nil, "get", "a"); got.status != 0 {
		t.Errorf("what was imported is not there: %s", got.stderr)
	}
}
