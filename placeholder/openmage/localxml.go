package openmage

import (
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"strings"

	"catalog/placeholder"
	"catalog/placeholder/ledger"
)

// maxXML bounds app/etc/local.xml, in bytes: it is a page.
const maxXML = 1 << 20

// ReadLocalXML reads the database that a shop's app/etc/local.xml names: its
// DSN in the form of go-sql-driver/mysql, password included, and the prefix of
// its tables.
func ReadLocalXML(path string) (dsn, prefix string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", "", fmt.Errorf("openmage: read the shop's settings: %w", err)
	}
	if info.Size() > maxXML {
		return "", "", fmt.Errorf("openmage: %s has %d bytes: that is no local.xml", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", "", fmt.Errorf("openmage: read the shop's settings: %w", err)
	}
	dsn, prefix, err = parseLocalXML(text)
	if err != nil {
		return "", "", fmt.Errorf("openmage: %s: %w", path, err)
	}
	return dsn, prefix, nil
}

// parseLocalXML finds the default connection in the text of a local.xml.
func parseLocalXML(text []byte) (dsn, prefix string, err error) {
	var doc struct {
		XMLName xml.Name `xml:"config"`
		Prefix  string   `xml:"global>resources>db>table_prefix"`
		Conn    *struct {
			Host     string `xml:"host"`
			Port     string `xml:"port"`
			Socket   string `xml:"unix_socket"`
			Username string `xml:"username"`
			Password string `xml:"password"`
			Database string `xml:"dbname"`
		} `xml:"global>resources>default_setup>connection"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		return "", "", fmt.Errorf("%w: %w", placeholder.ErrSchema, err)
	}
	if doc.Conn == nil || strings.TrimSpace(doc.Conn.Database) == "" {
		return "", "", fmt.Errorf("%w: there is no global/resources/default_setup/connection with a dbname", placeholder.ErrSchema)
	}
	c := ledger.Connection{
		Host: strings.TrimSpace(doc.Conn.Host), Port: strings.TrimSpace(doc.Conn.Port), Socket: strings.TrimSpace(doc.Conn.Socket),
		User: strings.TrimSpace(doc.Conn.Username), Password: strings.TrimSpace(doc.Conn.Password), Database: strings.TrimSpace(doc.Conn.Database),
	}
	dsn, err = c.DSN()
	return dsn, strings.TrimSpace(doc.Prefix), err
}

// Discover reads what the shop's own settings say: stores, languages,
// currencies, websites, root categories, tax classes and groups. It only reads.
func Discover(ctx context.Context, dsn, prefix string) (placeholder.Discovery, error) {
	return ledger.Discover(ctx, dsn, dialect{}, prefix)
}
