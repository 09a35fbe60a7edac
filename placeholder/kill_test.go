package placeholder_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"catalog/catalog"
	"catalog/catalog/pebblestore"
	"catalog/fixtures/mariadb"
	"catalog/fixtures/servertest"
	"catalog/placeholder"
	"catalog/placeholder/ledger"
	"catalog/placeholder/magento2"
	"catalog/placeholder/openmage"
)

// The environment of the process that TestKill kills.
const (
	envWorker   = "CATALOG_TEST_SHOP_WORKER" // the store's folder
	envDSN      = "CATALOG_TEST_SHOP_DSN"
	envOpenMage = "CATALOG_TEST_SHOP_OPENMAGE"
	envSeed     = "CATALOG_TEST_SEED"
	envKills    = "CATALOG_TEST_KILLS"
)

const killSKUs = 60

func killSKU(i int) string { return fmt.Sprintf("kill-%02d", i) }

// TestKill kills the service, or MariaDB, at random moments of random ensures,
// follows and prunes. Afterwards nothing is half: a check finds nothing, no SKU
// has two products, and every placeholder is as the catalog says.
// CATALOG_TEST_KILLS says how often; CATALOG_TEST_SEED repeats a run.
func TestKill(t *testing.T) {
	for _, openMage := range []bool{false, true} {
		name := "magento2"
		if openMage {
			name = "openmage"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testKill(t, openMage)
		})
	}
}

func testKill(t *testing.T, openMage bool) {
	servertest.Need(t, servertest.MariaDB)
	kills, seed := 2, rand.Uint64()
	if n, err := strconv.Atoi(os.Getenv(envKills)); err == nil {
		kills = n
	}
	if n, err := strconv.ParseUint(os.Getenv(envSeed), 10, 64); err == nil {
		seed = n
	}
	t.Logf("%s=%d %s=%d", envKills, kills, envSeed, seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(kills+4)*time.Minute)
	defer cancel()
	srv, err := mariadb.StartLocal(ctx, mariadb.Options{Args: []string{"--innodb-flush-log-at-trx-commit=1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	}()
	shop, err := mariadb.CreateShop(ctx, srv, "kill", mariadb.Kind{OpenMage: openMage})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := shop.SQL.Close(); err != nil {
			t.Error(err)
		}
	}()
	dir := t.TempDir()
	done := 0
	for i := range kills {
		w := startWorker(t, dir, shop.DSN, openMage, rng.Uint64())
		time.Sleep(time.Duration(rng.Int64N(int64(time.Second))))
		if i%2 == 1 {
			if err := srv.Kill(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(rng.Int64N(int64(200 * time.Millisecond))))
			if err := srv.Restart(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(rng.Int64N(int64(time.Second))))
		}
		done += w.kill()
		// A killed prune keeps the next one waiting for a while: not here.
		if _, err := shop.SQL.ExecContext(ctx, "UPDATE `"+shop.Prefix+"catalog_placeholder_lock` SET expires='2000-01-01'"); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d steps were done", done)
	if done == 0 {
		t.Error("the workers did nothing")
	}
	wholeAfterKills(ctx, t, dir, shop)
}

// wholeAfterKills checks what is left.
func wholeAfterKills(ctx context.Context, t *testing.T, dir string, shop *mariadb.Shop) {
	t.Helper()
	s, err := openDialect(ctx, shop.DSN, shop.OpenMage)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Check(ctx, false, func(f placeholder.Finding) error {
		t.Errorf("check finds %+v", f)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for what, query := range map[string]string{
		"SKUs with two products":      "SELECT COUNT(*) FROM (SELECT sku FROM {}catalog_product_entity GROUP BY sku HAVING COUNT(*)>1) d",
		"products outside the ledger": "SELECT COUNT(*) FROM {}catalog_product_entity e LEFT JOIN {}catalog_placeholder l ON l.entity_id=e.entity_id WHERE l.sku IS NULL",
		"entries without product":     "SELECT COUNT(*) FROM {}catalog_placeholder l LEFT JOIN {}catalog_product_entity e ON e.entity_id=l.entity_id WHERE e.sku IS NULL",
	} {
		var n int
		if err := shop.SQL.QueryRowContext(ctx, strings.ReplaceAll(query, "{}", shop.Prefix)).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
	store, err := pebblestore.Open(ctx, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	service := placeholder.New(store, s, placeholder.Options{})
	defer service.Close()
	followed, stop := context.WithCancel(ctx)
	var g errgroup.Group
	g.Go(func() error { return service.Follow(followed) })
	var skus []string
	for i := range killSKUs {
		skus = append(skus, killSKU(i))
	}
	// The follower takes up where the killed one was; its lease ends in time.
	deadline := time.Now().Add(90 * time.Second)
	for {
		if stale := staleOnes(ctx, t, store, s, skus); len(stale) == 0 {
			break
		} else if time.Now().After(deadline) {
			t.Errorf("never made true again: %q", stale)
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("following ended with %v", err)
	}
}

// staleOnes returns the live placeholders that are not as the catalog says.
func staleOnes(ctx context.Context, t *testing.T, store catalog.Store, s placeholder.Shop, skus []string) (stale []string) {
	t.Helper()
	found, err := s.Find(ctx, skus)
	if err != nil {
		t.Fatal(err)
	}
	info := s.Info()
	for i, f := range found {
		if f.State != placeholder.StateLive {
			continue
		}
		rec := placeholder.Records{SKU: skus[i]}
		for _, kind := range []catalog.Kind{catalog.KindProduct, catalog.KindPrice} {
			r, err := store.Get(ctx, kind, catalog.Key(skus[i]))
			if err != nil {
				t.Fatal(err)
			}
			if kind == catalog.KindProduct {
				rec.Document = catalog.Value(r[0].Body)
			} else {
				rec.Price = catalog.Value(r[0].Body)
			}
		}
		if placeholder.Make(&info, placeholder.Rules{}, rec, time.Now()).Product.Hash != f.Hash {
			stale = append(stale, skus[i])
		}
	}
	return stale
}

func openDialect(ctx context.Context, dsn string, openMage bool) (*ledger.Shop, error) {
	if openMage {
		return openmage.Open(ctx, dsn, openmage.Options{})
	}
	return magento2.Open(ctx, dsn, magento2.Options{})
}

// worker is the process to be killed.
type worker struct {
	t     *testing.T
	cmd   *exec.Cmd
	steps atomic.Int64
	ended chan struct{}
}

// startWorker starts this test binary as a service, and waits until it works.
func startWorker(t *testing.T, dir, dsn string, openMage bool, seed uint64) *worker {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{t: t, cmd: exec.Command(self, "-test.run=^TestShopWorker$", "-test.timeout=10m"), ended: make(chan struct{})}
	w.cmd.Env = append(os.Environ(), envWorker+"="+dir, envDSN+"="+dsn, fmt.Sprintf("%s=%t", envOpenMage, openMage), fmt.Sprintf("%s=%d", envSeed, seed))
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.cmd.Stderr = os.Stderr
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	working := make(chan struct{})
	go func() {
		defer close(w.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			switch {
			case lines.Text() == "step":
				if w.steps.Add(1) == 1 {
					close(working)
				}
			case strings.HasPrefix(lines.Text(), "wrong:"):
				t.Errorf("the worker: %s", lines.Text())
			}
		}
	}()
	select {
	case <-working:
	case <-w.ended:
		t.Fatalf("the worker ended: %v", w.cmd.Wait())
	case <-time.After(time.Minute):
		_ = w.cmd.Process.Kill()
		t.Fatal("the worker does not work")
	}
	return w
}

// kill kills the process and returns how many steps it did.
func (w *worker) kill() int {
	w.t.Helper()
	if err := w.cmd.Process.Kill(); err != nil {
		w.t.Errorf("the worker ended before it was killed: %v", err)
	}
	<-w.ended
	_ = w.cmd.Wait() // it was killed
	return int(w.steps.Load())
}

// TestShopWorker is the process that TestKill starts; by itself it does
// nothing.
func TestShopWorker(t *testing.T) {
	dir := os.Getenv(envWorker)
	if dir == "" {
		return
	}
	seed, err := strconv.ParseUint(os.Getenv(envSeed), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	store, err := pebblestore.Open(ctx, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	shop, err := openDialect(ctx, os.Getenv(envDSN), os.Getenv(envOpenMage) == "true")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", os.Getenv(envDSN))
	if err != nil {
		t.Fatal(err)
	}
	service := placeholder.New(store, shop, placeholder.Options{Timeout: 5 * time.Second})
	go func() { _ = service.Follow(ctx) }() // ends with the process
	var skus []string
	for i := range killSKUs {
		skus = append(skus, killSKU(i))
	}
	setPrice := func(rng *rand.Rand, sku string) {
		_, err := store.Apply(ctx, []catalog.Write{
			{Kind: catalog.KindProduct, Key: catalog.Key(sku), Body: fmt.Appendf(nil, `{"sku":%q,"name":"Thing","weight":1}`, sku)},
			{Kind: catalog.KindPrice, Key: catalog.Key(sku), Body: fmt.Appendf(nil, `{"sku":%q,"prices":[{"price":%d}]}`, sku, 1+rng.IntN(1000))},
		})
		if err != nil {
			fmt.Printf("wrong: applying: %v\n", err)
		}
	}
	first := rand.New(rand.NewPCG(seed, 1))
	for _, sku := range skus {
		setPrice(first, sku)
	}
	var g errgroup.Group
	for n := range 4 {
		g.Go(func() error {
			rng := rand.New(rand.NewPCG(seed, uint64(n+2)))
			for {
				workerStep(ctx, rng, n, service, shop, db, skus, setPrice)
				fmt.Println("step")
			}
		})
	}
	t.Fatal(g.Wait())
}

// workerStep does one thing of several. Errors of a database that was killed
// are as they should be; others are wrong.
func workerStep(ctx context.Context, rng *rand.Rand, n int, service *placeholder.Service, shop *ledger.Shop, db *sql.DB, skus []string, setPrice func(*rand.Rand, string)) {
	sku := skus[rng.IntN(len(skus))]
	var err error
	switch k := rng.IntN(10); {
	case n == 0 && k < 3:
		_, err = placeholder.Prune(ctx, shop, placeholder.PruneConfig{UnusedFor: 31 * 24 * time.Hour})
	case k < 4:
		setPrice(rng, sku)
	case k < 6:
		_, _ = db.ExecContext(ctx, "UPDATE `"+shop.Info().Prefix+"catalog_placeholder` SET used=used-INTERVAL 40 DAY WHERE sku=?", sku) // the next step tells
	default:
		_, err = service.Ensure(ctx, "worker", []string{sku, skus[rng.IntN(len(skus))], skus[rng.IntN(len(skus))]})
	}
	if err != nil && !errors.Is(err, placeholder.ErrUnavailable) && !errors.Is(err, placeholder.ErrLocked) && !errors.Is(err, placeholder.ErrFenced) {
		fmt.Printf("wrong: %v\n", err)
	}
}
