package openmage_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-sql-driver/mysql"

	"catalog/fixtures/mariadb"
	"catalog/placeholder"
	"catalog/placeholder/ledger"
	"catalog/placeholder/magento2"
	"catalog/placeholder/openmage"
)

const localXML = `<?xml version="1.0"?>
<config><global>
  <install><date><![CDATA[Mon]]></date></install>
  <resources>
    <db><table_prefix><![CDATA[om_]]></table_prefix></db>
    <default_setup><connection>
      <host><![CDATA[127.0.0.1:3308]]></host>
      <username><![CDATA[us&er]]></username>
      <password><![CDATA[p]a>ss]]></password>
      <dbname>openmage</dbname>
      <active>1</active>
    </connection></default_setup>
  </resources>
</global></config>`

func TestReadLocalXML(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "local.xml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dsn, prefix, err := openmage.ReadLocalXML(write(localXML))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.User != "us&er" || cfg.Passwd != "p]a>ss" || cfg.Addr != "127.0.0.1:3308" || cfg.DBName != "openmage" || prefix != "om_" {
		t.Errorf("%+v, prefix %q", cfg, prefix)
	}
	for _, bad := range []string{"", "<config/>", "<other/>", localXML[:200], "<config><global><resources><default_setup><connection><host>h</host></connection></default_setup></resources></global></config>"} {
		if _, _, err := openmage.ReadLocalXML(write(bad)); !errors.Is(err, placeholder.ErrSchema) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

func TestDiscover(t *testing.T) {
	d := server.Database(t, mariadb.Kind{OpenMage: true})
	got, err := openmage.Discover(t.Context(), d.DSN, "")
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
	if got.Prefix != "om_" || got.Dialect != "openmage" || got.Attributes["price"].Scale != 4 || !got.GroupPrices {
		t.Errorf("%+v", got.Info)
	}
}

// TestDetect holds that the dialects are told apart by looking.
func TestDetect(t *testing.T) {
	for _, kind := range []mariadb.Kind{{}, {OpenMage: true}} {
		d := server.Database(t, kind)
		got, err := ledger.Detect(t.Context(), d.DSN, magento2.Dialect(), openmage.Dialect())
		if err != nil {
			t.Fatal(err)
		}
		if (got.Facts().Name == "openmage") != kind.OpenMage {
			t.Errorf("%s is taken for %s", kind, got.Facts().Name)
		}
	}
	srv := server.Get(t)
	if _, err := srv.Create(t.Context(), "no_shop"); err != nil {
		t.Fatal(err)
	}
	defer srv.Drop(t.Context(), "no_shop")
	if _, err := ledger.Detect(t.Context(), srv.DSN("no_shop"), magento2.Dialect(), openmage.Dialect()); !errors.Is(err, placeholder.ErrSchema) {
		t.Errorf("an empty database: %v", err)
	}
}
