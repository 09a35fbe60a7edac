package gateway

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// PrivateNetworks are loopback, link-local and private addresses: where a
// reverse proxy of the shop's own stands.
func PrivateNetworks() []netip.Prefix {
	var nets []netip.Prefix
	for _, s := range []string{
		"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
		"169.254.0.0/16", "fe80::/10", "fc00::/7",
	} {
		nets = append(nets, netip.MustParsePrefix(s))
	}
	return nets
}

// trusts reports whether addr is a proxy whose X-Forwarded-* headers count.
func (g *Gateway) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(g.opts.Trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// peer returns the address that the request's connection comes from; the zero
// Addr for what is no IP address, such as a Unix socket.
func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// client names who a request comes from, for the cap on new placeholders: the
// address nearest to us that is not a proxy we trust. Of IPv6 the network
// counts, since one household has 2^64 addresses.
func (g *Gateway) client(r *http.Request) string {
	addr := peer(r)
	if g.trusts(addr) || !addr.IsValid() {
		hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
		for _, hop := range slices.Backward(hops) {
			a, ok := parseHop(strings.TrimSpace(hop))
			if !ok {
				break // what stands left of it is worth no more
			}
			addr = a
			if !g.trusts(a) {
				break
			}
		}
	}
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}

// parseHop reads an element of X-Forwarded-For, which some proxies write with
// a port.
func parseHop(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone(""), true
}
