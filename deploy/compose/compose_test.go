package compose_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"catalog/fixtures/servertest"
)

// load reads the compose file as docker compose does, against its schema.
func load(t *testing.T) *types.Project {
	t.Helper()
	o, err := cli.NewProjectOptions([]string{"compose.yaml"}, cli.WithProfiles([]string{"*"}), cli.WithInterpolation(true))
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCompose(t *testing.T) {
	p := load(t)
	kinds := map[string]int{}
	for name, s := range p.Services {
		image, tag, ok := strings.Cut(s.Image[strings.LastIndex(s.Image, "/")+1:], ":")
		if !ok || tag == "" || tag == "latest" {
			t.Errorf("%s: the image %q is not pinned", name, s.Image)
		}
		kinds[image]++
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				t.Errorf("%s mounts what is not there: %v", name, err)
			}
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s is open to the network at port %s", name, port.Published)
			}
		}
		if image != "catalog" {
			continue
		}
		if !s.ReadOnly || len(s.CapDrop) == 0 || len(s.SecurityOpt) == 0 || s.MemLimit == 0 {
			t.Errorf("%s may more than it needs", name)
		}
		if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
			t.Errorf("%s is built by %v", name, err)
		}
		for _, secret := range s.Secrets {
			if _, ok := p.Secrets[secret.Source]; !ok {
				t.Errorf("%s uses the secret %s, which is not there", name, secret.Source)
			}
		}
		for _, arg := range s.Command {
			_, path, _ := strings.Cut(arg, "=/run/secrets/")
			if path != "" && !hasSecret(s, path) {
				t.Errorf("%s reads the secret %s, which it has not", name, path)
			}
		}
	}
	for image, want := range map[string]int{"mongo": 4, "elasticsearch": 3, "catalog": 7, "varnish": 1, "prometheus": 1, "grafana": 1} {
		if kinds[image] != want {
			t.Errorf("%d services of %s, want %d", kinds[image], image, want)
		}
	}
}

func hasSecret(s types.ServiceConfig, name string) bool {
	for _, secret := range s.Secrets {
		if secret.Source == name {
			return true
		}
	}
	return false
}

// TestNames: what configurations of other servers name is a service.
func TestNames(t *testing.T) {
	p := load(t)
	for file, pattern := range map[string]string{
		"backends.vcl": `\.host = "([^"]+)"`, "prometheus.yml": `"([a-z0-9]+):6060"`, "grafana/datasource.yml": `http://([a-z0-9]+):`,
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s names nobody", file)
		}
		for _, m := range found {
			if _, ok := p.Services[m[1]]; !ok && m[1] != "shop" {
				t.Errorf("%s names %s, which is no service", file, m[1])
			}
		}
	}
}

// TestVCL compiles the VCL with this folder's backends.
func TestVCL(t *testing.T) {
	const env = "CATALOG_TEST_VARNISH" // path of varnishd
	servertest.Need(t, servertest.Varnish)
	program := os.Getenv(env)
	if program == "" {
		program = "varnishd"
		if _, err := exec.LookPath(program); err != nil {
			program = "/usr/sbin/varnishd"
		}
	}
	dir := t.TempDir()
	text, err := os.ReadFile("backends.vcl")
	if err != nil {
		t.Fatal(err)
	}
	// The names are known in the network of the compose file only.
	text = regexp.MustCompile(`\.host = "[^"]+"`).ReplaceAll(text, []byte(`.host = "127.0.0.1"`))
	if err := os.WriteFile(filepath.Join(dir, "backends.vcl"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	vcl, err := filepath.Abs("../varnish/catalog.vcl")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-j", "none", "-C", "-n", filepath.Join(dir, "work"), "-p", "vcl_path="+dir, "-f", vcl)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: apt-get install varnish varnish-modules, or name varnishd by %s, or skip this test by %s=%s\n%.3000s", err, env, servertest.EnvSkip, servertest.Varnish, out)
	}
}
