package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"catalog/catalog"
	"catalog/catalog/mongostore"
	"catalog/catalog/storetest"
)

// TestMongoMany runs two importers, two indexers of one index and three servers,
// each in a process of its own, on one database: random imports and price feeds,
// while processes are killed, stopped for a while, and started again. No reader
// may see, through one server, an older state of a SKU after a newer one. In the
// end the store is what was imported last, its log is whole, and every index is
// what the store says. CATALOG_TEST_MANY_SECONDS is for how long (20);
// CATALOG_TEST_SEED repeats the choices, though not their moments. On the slow
// stand-in for a database it is two importers alone.
func TestMongoMany(t *testing.T) {
	t.Parallel()
	url, slow := databaseOf(t)
	k, seconds := newKiller(t, "CATALOG_TEST_MANY_SECONDS", 20)
	m := &many{killer: k, T: t, url: url}
	for n := range m.sources {
		m.sources[n] = &manySource{
			many: m, name: fmt.Sprintf("s%d", n), rng: rand.New(rand.NewPCG(k.rng.Uint64(), 0)),
			last: map[bool]map[string]int{false: {}, true: {}},
		}
		for i := range manySKUs {
			m.skus = append(m.skus, m.sources[n].sku(i))
		}
		m.sources[n].feed(false, 1)
		m.sources[n].feed(true, 1)
	}

	if slow {
		m.importers()
		return
	}
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	for n := range m.servers {
		s := &manyServer{many: m, n: n}
		m.servers[n] = s
		s.start()
		work.Go(func() { s.read(ctx, rand.New(rand.NewPCG(uint64(n), 1))) })
	}
	for n := range m.indexers {
		m.indexers[n] = m.index()
	}
	for _, s := range m.sources {
		work.Go(func() { s.run(ctx) })
	}
	var count [5]int
	for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end) && !t.Failed(); {
		time.Sleep(500*time.Millisecond + time.Duration(k.rng.IntN(2500))*time.Millisecond)
		what := k.rng.IntN(len(count))
		count[what]++
		switch what {
		case 0: // a server
			s := m.servers[k.rng.IntN(len(m.servers))]
			s.kill()
			s.start()
		case 1: // an indexer
			n := k.rng.IntN(len(m.indexers))
			_ = m.indexers[n].Process.Kill()
			_ = m.indexers[n].Wait() // it was killed
			m.indexers[n] = m.index()
		case 2: // an importer, which then does the same again
			m.sources[k.rng.IntN(len(m.sources))].signal(syscall.SIGKILL)
		case 3:
			m.sources[k.rng.IntN(len(m.sources))].pause(k.rng)
		case 4:
			standStill(m.indexers[k.rng.IntN(len(m.indexers))].Process, k.rng)
		}
	}
	stop()
	work.Wait()
	reads, mute := 0, 0
	for _, s := range m.servers {
		reads, mute = reads+s.reads, mute+s.mute
		s.kill()
	}
	for _, x := range m.indexers {
		_ = x.Process.Signal(syscall.SIGTERM) // it may wait for the other
		_ = x.Wait()
	}
	t.Logf("%d imports, and %d that lost their lease; %d reads, and %d without an answer; %d servers, %d indexers, %d importers killed, %d and %d stopped for a while",
		m.sources[0].imports+m.sources[1].imports, m.sources[0].lost+m.sources[1].lost, reads, mute, count[0], count[1], count[2], count[3], count[4])
	if reads <= mute {
		t.Error("the servers hardly answered")
	}
	m.check()
	m.verify()
}

// importers is what a server can bear that answers a sixth as fast, and that
// what killed processes leave behind occupies for minutes: two importers at the
// same time.
func (m *many) importers() {
	var work sync.WaitGroup
	for _, s := range m.sources {
		work.Go(func() {
			for rev := 2; rev < 5 && !m.Failed(); rev++ {
				s.feed(rev%2 == 0, rev)
			}
		})
	}
	work.Wait()
	m.check()
}

// manySKUs is how many SKUs each source has.
const manySKUs = 100

// many is what the processes have in common.
type many struct {
	*killer
	*testing.T
	url      string
	skus     []string
	sources  [2]*manySource
	servers  [3]*manyServer
	indexers [2]*exec.Cmd
}

// index starts an indexer of the index that both of them keep, in turns.
func (m *many) index() *exec.Cmd {
	cmd := exec.Command(m.program, "index", "--follow", "--wait", "--no-progress", "--store", m.url, "--index-url", "facet:./shared", "--index-name", "shared")
	cmd.Dir = m.dir
	out, err := os.OpenFile(filepath.Join(m.dir, "index.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		m.Fatal(err)
	}
	defer out.Close() // the process has its own
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have ended
	return cmd
}

// standStill stops a process for a while.
func standStill(p *os.Process, rng *rand.Rand) {
	if p.Signal(syscall.SIGSTOP) == nil {
		time.Sleep(time.Duration(rng.IntN(2000)) * time.Millisecond)
		_ = p.Signal(syscall.SIGCONT) // it may have ended
	}
}

// check compares what is there in the end.
func (m *many) check() {
	s, err := mongostore.Open(m.Context(), m.url, &mongostore.Options{Existing: true})
	if err != nil {
		m.Fatal(err)
	}
	if err := errors.Join(storetest.Check(m.Context(), s), s.Close()); err != nil {
		m.Error(err)
	}
	_, exported := m.status(m.T, "export", "--store", m.url, "--kind", "products")
	for _, src := range m.sources {
		for sku, rev := range src.last[false] {
			if want := fmt.Sprintf(`{"sku":"%s","name":"%s rev %d","rev":%d}`, sku, sku, rev, rev); !strings.Contains(exported, want) {
				m.Errorf("the store does not have %s", want)
			}
		}
		if len(src.last[false]) != manySKUs {
			m.Errorf("%s imported %d SKUs", src.name, len(src.last[false]))
		}
	}
}

// verify holds that every index is what the store says.
func (m *many) verify() {
	for _, name := range []string{"shared", "served-0", "served-1", "served-2"} {
		at := []string{"--store", m.url, "--index-url", "facet:./" + name, "--index-name", name}
		m.run(m.T, 0, append([]string{"index", "--no-progress"}, at...)...)
		m.run(m.T, 0, append([]string{"verify", "--no-progress"}, at...)...)
	}
}

// manySource is an importer of one source.
type manySource struct {
	*many
	name    string
	rng     *rand.Rand
	imports int
	lost    int                     // imports that lost their lease
	last    map[bool]map[string]int // prices? → SKU → revision

	mu  sync.Mutex
	now *exec.Cmd // nil: none runs
}

func (s *manySource) sku(i int) string { return fmt.Sprintf("%s-%03d", s.name, i) }

// run imports until ctx ends, each revision newer than the last.
func (s *manySource) run(ctx context.Context) {
	for rev := 2; ctx.Err() == nil && !s.Failed(); rev++ {
		s.feed(s.rng.IntN(2) == 0, rev)
	}
}

// feed imports products or prices, at first of all SKUs and then of some, and
// again as long as it is killed.
func (s *manySource) feed(prices bool, rev int) {
	var lines strings.Builder
	for i := range manySKUs {
		sku := s.sku(i)
		if rev > 1 && s.rng.IntN(3) > 0 {
			continue
		}
		s.last[prices][sku] = rev
		if prices {
			fmt.Fprintf(&lines, `{"sku":"%s","price":%d}`+"\n", sku, 100_000+rev)
		} else {
			fmt.Fprintf(&lines, `{"sku":"%s","name":"%s rev %d","rev":%d}`+"\n", sku, sku, rev, rev)
		}
	}
	file := filepath.Join(s.dir, s.name+".jsonl")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		s.Error(err)
		return
	}
	kind := "products"
	if prices {
		kind = "prices"
	}
	for {
		status, output := s.once("import", "--no-index", "--kind", kind, "--source", s.name, "--store", s.url, file)
		if status == 0 {
			s.imports++
			return
		}
		// A transaction whose writer was killed may hold the server up for longer
		// than a lease lasts: then the same command is to be run again.
		if status == 1 && strings.Contains(output, catalog.ErrFenced.Error()) {
			s.lost++
			continue
		}
		if status >= 0 { // it was not killed
			s.Errorf("the import ended with status %d:\n%s", status, output)
			return
		}
	}
}

// once runs the program, which signal may reach meanwhile.
func (s *manySource) once(args ...string) (status int, output string) {
	cmd, text := s.command(context.Background(), args...)
	s.mu.Lock()
	err := cmd.Start()
	if err == nil {
		s.now = cmd
	}
	s.mu.Unlock()
	if err != nil {
		return 1, err.Error()
	}
	_ = cmd.Wait() // the status tells
	s.mu.Lock()
	s.now = nil
	s.mu.Unlock()
	return cmd.ProcessState.ExitCode(), text.String()
}

func (s *manySource) signal(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		_ = s.now.Process.Signal(sig) // it may have ended
	}
}

func (s *manySource) pause(rng *rand.Rand) {
	s.mu.Lock()
	now := s.now
	s.mu.Unlock()
	if now != nil {
		standStill(now.Process, rng)
	}
}

// manyServer is a server with an index of its own, and who reads from it.
type manyServer struct {
	*many
	n     int
	reads int
	mute  int // requests that were not answered, or by 503

	mu   sync.Mutex
	life int // how often it was started
	srv  *server
}

func (s *manyServer) start() {
	name := fmt.Sprintf("served-%d", s.n)
	srv := startServer(s.T, s.dir, nil, 1, "serve", "--no-window", "--listen", "127.0.0.1:0", "--store", s.url, "--index-url", "facet:./"+name, "--index-name", name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.srv = srv
	s.life++
}

func (s *manyServer) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv == nil {
		return
	}
	_ = s.srv.cmd.Process.Kill() // it may have ended
	<-s.srv.done
	_ = s.srv.cmd.Wait()
	s.srv = nil
}

func (s *manyServer) now() (*server, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.srv, s.life
}

// read asks for SKUs, and holds every answer to those before of the same server.
func (s *manyServer) read(ctx context.Context, rng *rand.Rand) {
	seen, life := map[string]int{}, 0
	client := &http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	for ctx.Err() == nil {
		srv, now := s.now()
		if srv == nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if now != life {
			clear(seen)
			life = now
		}
		sku := s.skus[rng.IntN(len(s.skus))]
		path := "/v1/products?sku="
		if rng.IntN(2) == 0 {
			path = "/v1/prices?sku="
		}
		address, ok := srv.address()
		if !ok {
			s.Error("a server listens nowhere")
			return
		}
		rev, err := askRevision(ctx, client, address+path+sku)
		if _, again := s.now(); err != nil && (again != life || ctx.Err() != nil || s.gone()) {
			continue // it was killed
		}
		var net net.Error
		if errors.As(err, &net) || errors.Is(err, errUnavailable) {
			s.mute++
			time.Sleep(100 * time.Millisecond)
			continue
		}
		if err != nil {
			s.Errorf("server %d does not tell a revision, %s: %v", s.n, path+sku, err)
			return
		}
		if before := seen[path+sku]; rev < before {
			s.Errorf("server %d said revision %d of %s, and before %d", s.n, rev, path+sku, before)
			return
		}
		seen[path+sku] = rev
		s.reads++
		time.Sleep(2 * time.Millisecond)
	}
}

// gone reports whether the server was killed and not yet started again.
func (s *manyServer) gone() bool {
	srv, _ := s.now()
	if srv == nil {
		return true
	}
	select {
	case <-srv.done:
		return true
	default:
		return false
	}
}

// address returns where the server listens for requests.
func (s *server) address() (url string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.addr {
		return "http://" + a, true
	}
	return "", false
}

// errUnavailable is of a server that says that it cannot answer now.
var errUnavailable = errors.New("unavailable")

// askRevision returns the revision that a server tells.
func askRevision(ctx context.Context, client *http.Client, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Products []struct {
			Rev int `json:"rev"`
		} `json:"products"`
		Items []struct {
			Price string `json:"price"`
		} `json:"items"`
	}
	if resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusGatewayTimeout {
		return 0, errUnavailable
	}
	switch err := json.Unmarshal(text, &answer); {
	case err != nil || resp.StatusCode != http.StatusOK:
	case len(answer.Products) == 1 && answer.Products[0].Rev > 0:
		return answer.Products[0].Rev, nil
	case len(answer.Items) == 1:
		price, err := strconv.ParseFloat(answer.Items[0].Price, 64)
		return int(price) - 100_000, err
	}
	return 0, fmt.Errorf("%s: %.500s", resp.Status, text)
}
