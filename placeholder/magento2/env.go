package magento2

import (
	"context"
	"fmt"
	"os"

	"catalog/placeholder"
	"catalog/placeholder/ledger"
)

// maxEnv bounds app/etc/env.php, in bytes: it is a page or two.
const maxEnv = 1 << 20

// ReadEnv reads the database that a shop's app/etc/env.php names: its DSN in
// the form of go-sql-driver/mysql, password included, and the prefix of its
// tables. The file is read as what it is, a PHP array; nothing is run.
func ReadEnv(path string) (dsn, prefix string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", "", fmt.Errorf("magento2: read the shop's settings: %w", err)
	}
	if info.Size() > maxEnv {
		return "", "", fmt.Errorf("magento2: %s has %d bytes: that is no env.php", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", "", fmt.Errorf("magento2: read the shop's settings: %w", err)
	}
	dsn, prefix, err = parseEnv(string(text))
	if err != nil {
		return "", "", fmt.Errorf("magento2: %s: %w", path, err)
	}
	return dsn, prefix, nil
}

// parseEnv finds the default connection in the text of an env.php.
func parseEnv(text string) (dsn, prefix string, err error) {
	root, err := parsePHP(text)
	if err != nil {
		return "", "", err
	}
	db := root.at("db")
	conn := db.at("connection", "default")
	if conn == nil {
		return "", "", fmt.Errorf("%w: there is no db/connection/default", placeholder.ErrSchema)
	}
	c := ledger.Connection{
		Host: conn.text("host"), Port: conn.text("port"), Socket: conn.text("unix_socket"),
		User: conn.text("username"), Password: conn.text("password"), Database: conn.text("dbname"),
	}
	if c.Database == "" {
		return "", "", fmt.Errorf("%w: db/connection/default has no dbname", placeholder.ErrSchema)
	}
	dsn, err = c.DSN()
	return dsn, db.text("table_prefix"), err
}

// Discover reads what the shop's own settings say: stores, languages,
// currencies, websites, root categories, tax classes, groups and stocks. It
// only reads.
func Discover(ctx context.Context, dsn, prefix string) (placeholder.Discovery, error) {
	return ledger.Discover(ctx, dsn, dialect{}, prefix)
}
