// Package importhttp serves imports over HTTP: New returns a handler for
//
//	POST   /v1/imports              a feed as the body: imports it
//	GET    /v1/imports              imports under way, and the reports of past ones
//	GET    /v1/imports/{id}         one: how far it is, or its report
//	GET    /v1/imports/{id}/events  the same as server-sent events, as it happens
//	DELETE /v1/imports/{id}         cancels one that is under way
//
// # A feed
//
// The body is a feed in any format that package importer reads, compressed or
// not. It is copied to a file without a name first, since an import reads its
// feed twice; nothing is written before all of it has arrived, and a body that
// is cut off changes nothing. With Content-Type multipart/form-data the feed is
// the part "feed", the last one; before it may stand "map", a mapping file, and
// "schema", a JSON Schema.
//
// The parameters of the URL are the flags of 'catalog import': kind, mode,
// source, format, encoding, delimiter, sku, workers, dry_run, max_rejects,
// max_unreadable, max_delete, max_price_change, no_tidy.
//
// # The answer
//
// The answer comes when the import is over, and is its Report: status 200 when
// all is in, some rejects or none. Everything else is an application/problem+json
// (RFC 9457) with the report, if there is one, as its member "report": 409 when
// a guard held something back, the import was cancelled, or another one of its
// kind and source has been under way for longer than a few seconds; 422 when the
// feed or the parameters make no sense or too much was rejected, 429 when enough
// imports are under way, 507 when there is no space left, 503 when the server
// ends, 500 else. The import's id is in Location from the start.
//
// An import whose client leaves is cancelled; what is in by then stays in, and
// the same import again ends as if nothing had happened. With detach=true it
// goes on: the answer, 202, comes as soon as the body has arrived.
package importhttp
