package mongostore

import (
	"fmt"
	"net/url"
	"strings"

	"catalog/catalog"
)

// Database returns the name of the database that a URL of MongoDB names;
// catalog.ErrInvalid if that is none.
func Database(url string) (string, error) {
	_, name, err := place(url)
	return name, err
}

// place returns what a URL may be shown as, without user, password and options,
// and the name of its database. It is read by hand, since errors of parsers
// repeat what they were given.
func place(raw string) (where, database string, err error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok || scheme != "mongodb" && scheme != "mongodb+srv" {
		return "", "", fmt.Errorf("%w: this is no URL of MongoDB: use mongodb://HOST:27017/DATABASE", catalog.ErrInvalid)
	}
	rest, _, _ = strings.Cut(rest, "?")
	hosts, database, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 { // a password should be escaped, and may not be
		hosts, database, _ = strings.Cut(rest[i+1:], "/")
	}
	if database, err = url.PathUnescape(database); err != nil {
		return "", "", fmt.Errorf("%w: the database's name is not well escaped", catalog.ErrInvalid)
	}
	switch {
	case hosts == "":
		return "", "", fmt.Errorf("%w: the URL of MongoDB names no host: use mongodb://HOST:27017/DATABASE", catalog.ErrInvalid)
	case database == "":
		return "", "", fmt.Errorf("%w: the URL of MongoDB names no database: use mongodb://HOST:27017/DATABASE", catalog.ErrInvalid)
	case len(database) > 63 || strings.ContainsAny(database, "/\\. \"$*<>:|?\x00"):
		return "", "", fmt.Errorf("%w: %q cannot be the name of a database", catalog.ErrInvalid, database)
	}
	return scheme + "://" + hosts + "/" + database, database, nil
}
