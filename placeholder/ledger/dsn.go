package ledger

import (
	"fmt"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"

	"catalog/placeholder"
)

// Connection is what a shop's settings say of its database, as PHP reads it.
type Connection struct {
	Host, Port, Socket       string // Host with a port, or a path of a socket, too
	User, Password, Database string
}

// DSN returns the connection in the form of go-sql-driver/mysql, password
// included. That form quotes nothing: what it cannot say, an @ in a host or a
// colon in a user's name, is ErrSchema, and not a connection to somewhere else.
func (c Connection) DSN() (string, error) {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName = c.User, c.Password, c.Database
	cfg.Net, cfg.Addr = address(c.Host, c.Port, c.Socket)
	dsn := cfg.FormatDSN()
	got, err := mysql.ParseDSN(dsn)
	if err != nil || got.User != cfg.User || got.Passwd != cfg.Passwd || got.DBName != cfg.DBName || got.Net != cfg.Net || got.Addr != cfg.Addr {
		return "", fmt.Errorf("%w: no DSN can say user %q, database %q and %s address %q: write one by hand", placeholder.ErrSchema, cfg.User, cfg.DBName, cfg.Net, cfg.Addr)
	}
	return dsn, nil
}

// address makes a network and an address of a host as PHP writes it: with a
// port, or a path of a socket; a port and a socket of their own go before it.
func address(host, port, socket string) (network, addr string) {
	switch {
	case socket != "":
		return "unix", socket
	case strings.HasPrefix(host, "/"):
		return "unix", host
	case host == "":
		host = "127.0.0.1"
	}
	if h, p, err := net.SplitHostPort(host); err == nil {
		if strings.HasPrefix(p, "/") {
			return "unix", p
		}
		if port == "" {
			port = p
		}
		host = h
	}
	if port == "" {
		port = "3306"
	}
	return "tcp", net.JoinHostPort(strings.Trim(host, "[]"), port)
}
