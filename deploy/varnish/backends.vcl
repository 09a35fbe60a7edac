# Where everything is. Edit this file, leave catalog.vcl as it is.

# Who may purge: the hosts on which "catalog serve --purge" runs.
acl purgers {
	"127.0.0.1";
	"::1";
}

backend catalog {
	.host = "127.0.0.1";
	.port = "8080";
	.first_byte_timeout = 35s;
	.probe = {
		.url = "/readyz";
		.interval = 2s;
		# One that is busy is not away: what has ended refuses at once.
		.timeout = 5s;
		.window = 4;
		.threshold = 2;
		.initial = 2;
	}
}

# The cart gateway. When it does not answer, Magento gets what was meant for it.
backend gateway {
	.host = "127.0.0.1";
	.port = "8082";
	.first_byte_timeout = 300s;
	# Magento's own, seen through the gateway; OpenMage needs a file of this name.
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
	.host = "127.0.0.1";
	.port = "8081";
	.first_byte_timeout = 300s;
}

# The hostnames at which everything is the catalog's: its shop window.
sub catalog_hosts {
	if (req.http.Host ~ "^preview\.") {
		set req.http.X-Catalog = "1";
	}
}
