package docker_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// TestDockerfile: the image is built from what is there, of pinned images, and
// runs as nobody.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	var user, goVersion string
	stages := map[string]bool{"scratch": true}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "FROM":
			_, tag, pinned := strings.Cut(words[1], ":")
			if !stages[words[1]] && (!pinned || tag == "latest") {
				t.Errorf("the image %s is not pinned", words[1])
			}
			if strings.HasPrefix(words[1], "golang:") {
				goVersion, _, _ = strings.Cut(tag, "-")
			}
			if len(words) == 4 {
				stages[words[3]] = true
			}
			user = ""
		case "USER":
			user = words[1]
		case "COPY":
			for _, source := range words[1 : len(words)-1] {
				if strings.HasPrefix(source, "--from=") && !stages[strings.TrimPrefix(source, "--from=")] {
					t.Errorf("it copies from %s, which is no stage", source)
				}
				if strings.HasPrefix(source, "-") || strings.HasPrefix(source, "/") {
					continue
				}
				if _, err := os.Stat(filepath.Join(root, source)); err != nil {
					t.Errorf("it copies %v", err)
				}
			}
		}
	}
	if user == "" || strings.HasPrefix(user, "0") || strings.HasPrefix(user, "root") {
		t.Errorf("it runs as %q", user)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if want := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(mod); want == nil || goVersion != string(want[1]) {
		t.Errorf("it builds with Go %s, go.mod says %s", goVersion, want[1])
	}
}

// TestIgnored: all Go packages of the program reach the build.
func TestIgnored(t *testing.T) {
	text, err := os.ReadFile("Dockerfile.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	packages, err := filepath.Glob(filepath.Join(root, "*", "*.go"))
	if err != nil || len(packages) == 0 {
		t.Fatal(err, len(packages))
	}
	for _, path := range packages {
		folder := filepath.Base(filepath.Dir(path))
		if !slices.Contains(lines, "!"+folder) {
			t.Errorf("%s does not reach the build", folder)
		}
	}
}
