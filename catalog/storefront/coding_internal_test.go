package storefront

import "testing"

func TestCodingFor(t *testing.T) {
	for accept, want := range map[string]coding{
		"":                        identity,
		"identity":                identity,
		"br":                      identity,
		"gzip":                    gzipped,
		"GZIP":                    gzipped,
		"gzip, deflate, br, zstd": zstandard,
		"zstd,gzip":               zstandard,
		"gzip;q=1.0, zstd;q=0.5":  gzipped,
		"zstd ; q=0.5 , gzip":     gzipped,
		"gzip;q=0":                identity,
		"gzip;q=0.000, zstd;q=0":  identity,
		"zstd;q=0, gzip;q=0.1":    gzipped,
		"gzip;level=1":            identity,
		"gzip;q=x, zstd":          zstandard,
		"gzip;q=NaN":              identity,
		"xgzip, zstdx":            identity,
	} {
		if got := codingFor(accept); got != want {
			t.Errorf("%q: %s, want %s", accept, got.name(), want.name())
		}
	}
}
