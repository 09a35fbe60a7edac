package magento2_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"catalog/fixtures/mariadb"
	"catalog/placeholder"
	"catalog/placeholder/magento2"
)

const env = `<?php
/* of an installation */
return [
    'backend' => ['frontName' => 'admin_x'], # a comment, with 'db' =>
    'crypt' => array('key' => getenv('KEY') . "more", 'list' => array(1, 2, -3.5)),
    'db' => [
        'table_prefix' => 'm2_',
        'connection' => [
            'indexer' => ['host' => 'elsewhere', 'dbname' => 'wrong'],
            'default' => [
                'host' => 'db.example.com:3307',
                'dbname' => 'magento',
                'username' => "sh'op",
                'password' => 'p\'a\\ss"@/:',
                'model' => 'mysql4',
                'engine' => 'innodb',
                'initStatements' => 'SET NAMES utf8;',
                'active' => '1',
                'driver_options' => [1014 => false, \PDO::MYSQL_ATTR_INIT_COMMAND => null],
            ],
        ]
    ],
    'x' => true,
];
`

func TestReadEnv(t *testing.T) {
	for _, c := range []struct {
		name, text, user, password, network, addr, db, prefix string
		bad                                                   bool
	}{
		{name: "as Magento writes it", text: env, user: "sh'op", password: `p'a\ss"@/:`, network: "tcp", addr: "db.example.com:3307", db: "magento", prefix: "m2_"},
		{
			name: "socket", text: `<?php return array('db'=>array('connection'=>array('default'=>array('host'=>'localhost','unix_socket'=>'/run/mysqld.sock','dbname'=>'d','username'=>'u'))));`,
			user: "u", network: "unix", addr: "/run/mysqld.sock", db: "d",
		},
		{name: "socket as port", text: `<?php return ['db'=>['connection'=>['default'=>['host'=>'localhost:/tmp/s','dbname'=>'d']]]];`, network: "unix", addr: "/tmp/s", db: "d"},
		{name: "no port", text: `<?php return ['db'=>['connection'=>['default'=>['host'=>'h','dbname'=>'d']]]];`, network: "tcp", addr: "h:3306", db: "d"},
		{name: "no database", text: `<?php return ['db'=>['connection'=>['default'=>['host'=>'h']]]];`, bad: true},
		{name: "no connection", text: `<?php return ['db'=>[]];`, bad: true},
		{name: "no array", text: `<?php return 1;`, bad: true},
		{name: "no PHP", text: `db: mysql`, bad: true},
		{name: "cut off", text: env[:len(env)/2], bad: true},
		{name: "deep", text: `<?php return ` + strings.Repeat("[", 100000), bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "env.php")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			dsn, prefix, err := magento2.ReadEnv(path)
			if c.bad {
				if !errors.Is(err, placeholder.ErrSchema) {
					t.Errorf("%q, %v", dsn, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := mysql.ParseDSN(dsn)
			if err != nil {
				t.Fatal(err)
			}
			if cfg.User != c.user || cfg.Passwd != c.password || cfg.Net != c.network || cfg.Addr != c.addr || cfg.DBName != c.db || prefix != c.prefix {
				t.Errorf("%+v, prefix %q", cfg, prefix)
			}
		})
	}
	if _, _, err := magento2.ReadEnv(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func FuzzReadEnv(f *testing.F) {
	f.Add(env)
	f.Add(`<?php return ['a'=>"b\$c",2=>array(),];`)
	f.Add("<?php return [/*")
	f.Add(`<?php return ['db'=>['connection'=>['default'=>['host'=>'a@b','dbname'=>'c']]]];`)
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "env.php")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		dsn, _, err := magento2.ReadEnv(path)
		if err == nil {
			if _, err := mysql.ParseDSN(dsn); err != nil {
				t.Errorf("%q gives a DSN that cannot be read", text)
			}
		}
	})
}

func TestDiscover(t *testing.T) {
	d := server.Database(t, mariadb.Kind{})
	got, err := magento2.Discover(t.Context(), d.DSN, "")
	if err != nil {
		t.Fatal(err)
	}
	want := []placeholder.ViewSettings{
		{ID: 1, Code: "default", Name: "English", Website: "base", Language: "en-GB", Currency: "EUR", RootCategory: "Default Category"},
		{ID: 2, Code: "de", Name: "Deutsch", Website: "base", Language: "de-DE", Currency: "EUR", RootCategory: "Default Category"},
		{ID: 5, Code: "second", Name: "US", Website: "second", Language: "en-US", Currency: "USD", RootCategory: "Default Category"},
	}
	if !slices.Equal(got.Views, want) {
		t.Errorf("views %+v", got.Views)
	}
	if w := got.Websites; len(w) != 2 || w[0].Code != "base" || w[0].Currency != "EUR" || !w[0].Default || w[0].StockID != 1 || w[1].Currency != "USD" || w[1].StockID != 2 || len(w[0].Stores) != 2 {
		t.Errorf("websites %+v", w)
	}
	if len(got.TaxClasses) != 2 || got.DefaultTax != 7 || len(got.Groups) != 4 || !got.PricePerSite || got.SKUChars != 64 || got.SKU4Byte || got.Dialect != "magento2" {
		t.Errorf("%+v", got.Info)
	}
	if a := got.Attributes["price"]; a.ID != 174 || a.Backend != "decimal" || a.Scale != 6 {
		t.Errorf("price is %+v", a)
	}
}

// TestRules holds that what active cart price rules ask for is found out.
func TestRules(t *testing.T) {
	d := server.Database(t, mariadb.Kind{})
	d.Exec(t, `INSERT INTO {salesrule} (rule_id, is_active, to_date, conditions_serialized, actions_serialized) VALUES
		(1,1,NULL,'{"type":"a","conditions":[{"attribute":"category_ids","operator":"==","value":"12, 11"}]}','{}'),
		(2,0,NULL,'{"attribute":"category_ids","operator":"==","value":"2"}',NULL),
		(3,1,'2020-01-01',NULL,NULL)`)
	d.Exec(t, "INSERT INTO {salesrule_product_attribute} VALUES (1,1,0,240),(2,1,0,241),(3,1,0,178)")
	info := d.Open(t).Info()
	if !slices.Equal(info.RuleAttributes, []string{"color"}) || info.Attributes["color"].Options["red"] != 51 {
		t.Errorf("attributes %q, options %v", info.RuleAttributes, info.Attributes["color"].Options)
	}
	if len(info.RuleCategories) != 2 || info.RuleCategories["Men/Shoes"] != 12 || info.RuleCategories["Men"] != 11 {
		t.Errorf("categories %v", info.RuleCategories)
	}
}

// TestRefusedSchemas holds that what is not a shop we know is refused, and why,
// and taken once it is mended.
func TestRefusedSchemas(t *testing.T) {
	shop, err := mariadb.CreateShop(t.Context(), server.Get(t), "refused", mariadb.Kind{})
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Drop(t.Context())
	run := func(t *testing.T, q string) {
		t.Helper()
		if _, err := shop.SQL.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	open := func(t *testing.T, want error) {
		t.Helper()
		s, err := magento2.Open(t.Context(), shop.DSN, magento2.Options{})
		if !errors.Is(err, want) {
			t.Fatalf("opened with %v, want %v", err, want)
		}
		if err == nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	open(t, nil)
	for _, c := range []struct {
		name, change, undo string
		want               error
	}{
		{"Adobe Commerce", "ALTER TABLE catalog_product_entity ADD row_id int unsigned NOT NULL DEFAULT 0", "ALTER TABLE catalog_product_entity DROP row_id", placeholder.ErrCommerce},
		{"no table of cart lines", "RENAME TABLE quote_item TO lines_elsewhere", "RENAME TABLE lines_elsewhere TO quote_item", placeholder.ErrSchema},
		{
			"attribute elsewhere", "UPDATE eav_entity_attribute SET attribute_set_id=attribute_set_id+100 WHERE attribute_id=197",
			"UPDATE eav_entity_attribute SET attribute_set_id=attribute_set_id-100 WHERE attribute_id=197", placeholder.ErrSchema,
		},
		{
			"static price", "UPDATE eav_attribute SET backend_type='static' WHERE attribute_code='price'",
			"UPDATE eav_attribute SET backend_type='decimal' WHERE attribute_code='price'", placeholder.ErrSchema,
		},
		{"stock without index", "RENAME TABLE inventory_stock_2 TO stock_elsewhere", "RENAME TABLE stock_elsewhere TO inventory_stock_2", placeholder.ErrSchema},
		{
			"a ledger of another collation", "ALTER TABLE catalog_placeholder MODIFY sku varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL",
			"DROP TABLE catalog_placeholder", placeholder.ErrSchema,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, c.change)
			open(t, c.want)
			run(t, c.undo)
			open(t, nil)
		})
	}
}

// TestSchemaChanges holds that what changes under a running service is read
// again when a write fails for it.
func TestSchemaChanges(t *testing.T) {
	srv := server.Get(t)
	shop, err := mariadb.CreateShop(t.Context(), srv, "changes", mariadb.Kind{})
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Drop(t.Context())
	s, err := magento2.Open(t.Context(), shop.DSN, magento2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// A website of its own stock moves to the default one, and the stock goes.
	for _, q := range []string{"UPDATE inventory_stock_sales_channel SET stock_id=1", "DROP TABLE inventory_stock_2"} {
		if _, err := shop.SQL.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	p := placeholder.Product{
		SKU: "a", Hash: placeholder.Hash{1}, Type: "simple", Websites: []int{1, 3}, Stock: placeholder.Stock{InStock: true, Qty: "0.0000"},
		Values: []placeholder.Value{{Attribute: "name", Text: "A"}, {Attribute: "price", Text: "1.000000"}, {Attribute: "status", Text: "1"}},
	}
	r, err := s.Ensure(t.Context(), []placeholder.Product{p})
	if err != nil || r[0].Status != placeholder.Created {
		t.Fatalf("%+v, %v", r, err)
	}
	// A value that no column takes is one product's trouble.
	long, good := p, p
	long.SKU, good.SKU = "b", "c"
	long.Values = []placeholder.Value{{Attribute: "name", Text: strings.Repeat("x", 300)}}
	r, err = s.Ensure(t.Context(), []placeholder.Product{long, good})
	if err != nil || r[0].Status != placeholder.Refused || r[0].Reason != placeholder.ReasonTrouble || r[1].Status != placeholder.Created {
		t.Errorf("%+v, %v", r, err)
	}
}
