# Where everything is in compose.yaml, in place of ../varnish/backends.vcl.

import directors;

# The two that serve, in the network of the compose file.
acl purgers {
	"127.0.0.1";
	"10.0.0.0"/8;
	"172.16.0.0"/12;
	"192.168.0.0"/16;
}

probe ready {
	.url = "/readyz";
	.interval = 2s;
	# One that is busy is not away: what has ended refuses at once.
	.timeout = 5s;
	.window = 4;
	.threshold = 2;
	.initial = 2;
}

backend catalog {
	.host = "serve1";
	.port = "8080";
	.first_byte_timeout = 35s;
	.probe = ready;
}

backend catalog2 {
	.host = "serve2";
	.port = "8080";
	.first_byte_timeout = 35s;
	.probe = ready;
}

backend gateway {
	.host = "gateway";
	.port = "8082";
	.first_byte_timeout = 300s;
	.probe = {
		.url = "/health_check.php";
		.interval = 2s;
		.timeout = 1s;
		.window = 4;
		.threshold = 2;
		.initial = 2;
	}
}

backend magento {
	.host = "shop";
	.port = "8081";
	.first_byte_timeout = 300s;
}

sub vcl_init {
	new catalogs = directors.round_robin();
	catalogs.add_backend(catalog);
	catalogs.add_backend(catalog2);
}

# catalog.vcl names one; each fetch goes to whichever is ready.
sub vcl_backend_fetch {
	if (bereq.backend == catalog) {
		set bereq.backend = catalogs.backend();
	}
}

# The hostnames at which everything is the catalog's: its shop window.
sub catalog_hosts {
	if (req.http.Host ~ "^preview\.") {
		set req.http.X-Catalog = "1";
	}
}
