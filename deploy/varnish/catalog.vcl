vcl 4.1;

# Varnish before the catalog, the cart gateway and Magento, under one hostname.
# Needs Varnish 6 or later with the vmods std (its own) and xkey (the package
# varnish-modules). See README.md.
#
# The catalog's answers say themselves how long they live, and carry surrogate
# keys in the header xkey. A purge names keys:
#
#   PURGE / with Xkey-Softpurge: KEY KEY …   out of date, but served while fetched anew
#   PURGE / with Xkey-Purge: KEY KEY …       gone
#
# The key "all" is on everything of the catalog.

import std;
import xkey;

include "backends.vcl";

sub vcl_recv {
	# Nobody outside says what is decided here.
	if (req.restarts == 0) {
		unset req.http.X-Catalog;
		unset req.http.X-Broken;
	}

	if (req.method == "PURGE") {
		if (client.ip !~ purgers) {
			return (synth(403, "Not from here"));
		}
		if (req.http.Xkey-Softpurge) {
			set req.http.X-Purged = xkey.softpurge(req.http.Xkey-Softpurge);
		} elsif (req.http.Xkey-Purge) {
			set req.http.X-Purged = xkey.purge(req.http.Xkey-Purge);
		} else {
			return (synth(400, "No keys"));
		}
		return (synth(200, "Purged"));
	}

	unset req.http.Proxy;
	if (req.url ~ "^/v1(/|$|\?)" || req.url ~ "^/assets/price-stock\.js(\?|$)") {
		set req.http.X-Catalog = "1";
	}
	call catalog_hosts;
	if (req.http.X-Catalog) {
		call catalog_recv;
	} else {
		call shop_recv;
	}
}

sub catalog_recv {
	set req.backend_hint = catalog;

	# These are for those who run it, at its own port.
	if (req.url ~ "^/(metrics|livez|readyz)(\?|$)") {
		return (synth(404, "Not found"));
	}

	# One page, one address: campaigns' parameters go, the others come in order.
	# Where a name whose order means something is there twice, nothing moves.
	set req.url = regsuball(req.url, "(?<=[?&])(utm_[a-z]+|gclid|gbraid|wbraid|fbclid|msclkid|mc_[ce]id|_ga)=[^&]*&?", "");
	set req.url = regsub(req.url, "[?&]+$", "");
	if (req.url !~ "[?&](sku|list|facet)=[^&]*(&[^&]*)*&\1=") {
		set req.url = std.querysort(req.url);
	}

	# A healthy catalog is asked again when an answer is older than its
	# stale-while-revalidate (60 s, as the catalog says it); one that is away is
	# stood in for as long as there is something to show.
	if (std.healthy(req.backend_hint) && !req.http.X-Broken) {
		set req.grace = 60s;
	}

	# Answers depend on no cookie. What one customer may see is not kept.
	unset req.http.Cookie;
	if (req.method != "GET" && req.method != "HEAD") {
		return (pass);
	}
	if (req.http.Authorization || req.http.X-Customer || req.url ~ "^/v1/(status|imports|records|explain)") {
		return (pass);
	}
	return (hash);
}

# The shop is passed through. Whoever has Magento's own VCL puts its vcl_recv in
# the place of the last return.
sub shop_recv {
	if (req.url ~ "^/(index\.php/)?(graphql|checkout|wishlist|rest|sales/order|catalog/product_compare)(/|\?|$)" || (req.method != "GET" && req.method != "HEAD")) {
		set req.backend_hint = gateway;
		if (!std.healthy(req.backend_hint)) {
			set req.backend_hint = magento;
		}
	} else {
		set req.backend_hint = magento;
	}
	if (req.http.Upgrade ~ "(?i)websocket") {
		return (pipe);
	}
	return (pass);
}

sub vcl_backend_fetch {
	# Events come when there are some.
	if (bereq.http.X-Catalog && bereq.url ~ "/events(\?|$)") {
		set bereq.between_bytes_timeout = 3600s;
	}
	unset bereq.http.X-Broken;
}

sub vcl_backend_response {
	if (!bereq.http.X-Catalog || bereq.uncacheable) {
		return (deliver);
	}
	if (beresp.status >= 500) {
		if (bereq.is_bgfetch) {
			return (abandon); # what is there is better
		}
		set beresp.ttl = 0s;
		set beresp.grace = 0s;
		set beresp.uncacheable = true;
		return (deliver);
	}
	if (beresp.http.Cache-Control ~ "(?i)(private|no-store)") {
		set beresp.ttl = 10s;
		set beresp.uncacheable = true;
		return (deliver);
	}
	if (beresp.ttl > 0s) {
		if (beresp.http.xkey) {
			set beresp.http.xkey = beresp.http.xkey + " all";
		} else {
			set beresp.http.xkey = "all";
		}
		# For when the catalog is away; see req.grace.
		set beresp.grace = 24h;
		set beresp.keep = 1h;
	}
}

sub vcl_deliver {
	if (req.http.X-Catalog) {
		# The catalog is reachable, but broken: show what there was.
		if (resp.status >= 500 && req.restarts == 0 && (req.method == "GET" || req.method == "HEAD") && !req.http.Authorization && !req.http.X-Customer) {
			set req.http.X-Broken = "1";
			return (restart);
		}
		unset resp.http.xkey;
		# Browsers keep an answer for its max-age from now on, however long it
		# has been here: purges keep it right.
		unset resp.http.Age;
	}
	unset resp.http.X-Varnish;
	unset resp.http.Via;
	if (obj.hits > 0) {
		set resp.http.X-Cache = "hit";
	} else {
		set resp.http.X-Cache = "miss";
	}
}

sub vcl_synth {
	if (req.http.X-Purged) {
		set resp.http.Content-Type = "text/plain; charset=utf-8";
		synthetic("purged " + req.http.X-Purged + {"
"});
		return (deliver);
	}
}
