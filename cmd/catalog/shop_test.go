package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/rogpeppe/go-internal/testscript"

	"catalog/fixtures/mariadb"
	"catalog/fixtures/servertest"
	"catalog/placeholder"
	"catalog/placeholder/magento2"
	"catalog/placeholder/openmage"
)

// shopServer starts a database server that ends with the test.
func shopServer(t *testing.T) *mariadb.Server {
	t.Helper()
	servertest.Need(t, servertest.MariaDB)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	srv, err := mariadb.Start(ctx, mariadb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	servertest.Uses(t, servertest.MariaDB, srv.Name())
	return srv
}

// newShop makes a shop's database.
func newShop(t testing.TB, srv *mariadb.Server, name string, openMage bool) *mariadb.Shop {
	t.Helper()
	shop, err := mariadb.CreateShop(context.Background(), srv, name, mariadb.Kind{OpenMage: openMage, OneStock: !openMage})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shop.Drop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return shop
}

// TestShopScripts plays the journeys of testdata/shop against both shops.
func TestShopScripts(t *testing.T) {
	srv := shopServer(t)
	for i, dialect := range []string{"magento2", "openmage"} {
		t.Run(dialect, func(t *testing.T) {
			shop := newShop(t, srv, fmt.Sprintf("journey_%s_%d", dialect, time.Now().UnixNano()), i == 1)
			s := &shopScript{shop: shop}
			testscript.Run(t, testscript.Params{
				Dir: "testdata/shop",
				Setup: func(e *testscript.Env) error {
					config, err := mysql.ParseDSN(shop.DSN)
					if err != nil {
						return err
					}
					password := config.Passwd
					if password == "" {
						// Nothing to hide: the name of a user who is not there.
						password = "no-such-password"
					}
					e.Setenv("CATALOG_DSN", shop.DSN)
					e.Setenv("DIALECT", dialect)
					e.Setenv("PASSWORD", password)
					return nil
				},
				Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
					"status": scriptStatus, "idle": s.idle, "lose": s.lose, "lock": s.lock, "unlock": s.unlock,
				},
			})
		})
	}
}

// shopScript is what scripts do to the shop behind the program's back.
type shopScript struct {
	shop   *mariadb.Shop
	mu     sync.Mutex
	locked placeholder.Pruner
	holder placeholder.Shop
}

// exec runs a statement on the shop's database.
func (s *shopScript) exec(ts *testscript.TestScript, statement string, args ...any) {
	db, err := sql.Open("mysql", s.shop.DSN)
	ts.Check(err)
	defer db.Close()
	r, err := db.Exec(statement, args...)
	ts.Check(err)
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		ts.Fatalf("%s: %d rows, %v", statement, n, err)
	}
}

// idle sets a placeholder's last use back: idle SKU DAYS.
func (s *shopScript) idle(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: idle SKU days")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	s.exec(ts, "UPDATE `"+s.shop.Prefix+"catalog_placeholder` SET used=UTC_TIMESTAMP()-INTERVAL ? DAY WHERE sku=?", n, args[0])
}

// lose deletes the row of a placeholder's name: lose SKU.
func (s *shopScript) lose(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: lose SKU")
	}
	s.exec(ts, "DELETE v FROM `"+s.shop.Prefix+"catalog_product_entity_varchar` v JOIN `"+s.shop.Prefix+
		"catalog_product_entity` e ON e.entity_id=v.entity_id WHERE e.sku=? AND v.store_id=0 AND v.attribute_id IN (SELECT attribute_id FROM `"+
		s.shop.Prefix+"eav_attribute` WHERE attribute_code='name')", args[0])
}

// lock takes the lock of prune until unlock.
func (s *shopScript) lock(ts *testscript.TestScript, _ bool, _ []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.shop.OpenMage {
		s.holder, err = openmage.Open(context.Background(), s.shop.DSN, openmage.Options{})
	} else {
		s.holder, err = magento2.Open(context.Background(), s.shop.DSN, magento2.Options{})
	}
	ts.Check(err)
	s.locked, err = s.holder.StartPrune(context.Background(), "the script", time.Minute, placeholder.PruneOptions{})
	ts.Check(err)
	ts.Defer(func() { ts.Check(s.release()) })
}

func (s *shopScript) unlock(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(s.release()) }

func (s *shopScript) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked == nil {
		return nil
	}
	err := errors.Join(s.locked.Close(), s.holder.Close())
	s.locked = nil
	return err
}
