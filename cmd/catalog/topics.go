package main

import "github.com/spf13/cobra"

const feedsTopic = `What a feed may look like.

PLACES
  A file, a glob, a folder (every feed in it), - for standard input,
  http(s)://…, and s3://BUCKET/KEY, where KEY may be a glob or end in a slash.
  Of S3 and what speaks its protocol: AWS_ENDPOINT_URL, AWS_REGION and the usual
  AWS_… credentials in the environment or in ~/.aws.

FORMATS
  jsonl    one JSON object a line
  json     an array of objects
  csv,tsv  a header, then rows. A header cell may carry a type, as exported
           feeds have it: weight:number, tags:json; other cells are text, and
           an empty one is no value. Nested fields by dots are not guessed:
           map them.
  magento  Magento's product CSV, with store-view rows, additional_attributes
           and configurable_variations
  parquet  nested and list columns included
  Each also as .gz or .zst. Content and name tell; --format overrides.

A PRODUCT is a JSON object with a "sku"; all else is optional and may be
anything. What is understood: name, description, short_description, url_key,
brand, type, status, visibility, categories, attributes, variants, images,
stores, websites, related, upsell, crosssell. 'catalog schema product' has the
details.

PRICE AND STOCK may stand in the product: "price": 9.99 beside special_price,
currency …, or "prices": [{…}], and "stock": {"qty": 3} or "stock": 3. They
become records of their own. Without them the records that are there stay; null
deletes them. Feeds of their own: --kind prices, --kind stock.

OTHER KINDS in a feed of products are marked by their first member:
{"$kind":"category",…}. 'catalog export' writes such feeds.

ANOTHER SHAPE needs a mapping file (--map); 'catalog inspect FEED' suggests one.
`

const settingsTopic = `Where settings come from.

Each flag is taken from the first of these that has it:

  1. the command line              --max-rejects 2%
  2. the environment               CATALOG_IMPORT_MAX_REJECTS=2%
     the name of a global flag     CATALOG_STORE=pebble:/var/lib/catalog
     a flag of all commands        CATALOG_SOURCE=erp
  3. the settings file             catalog.yaml in the working folder, or what
                                   --config or CATALOG_CONFIG names
  4. the default that --help shows

The file has the flags by their names, those of one command below its name:

  store: pebble:/var/lib/catalog
  source: erp                # all commands that have --source
  import:
    max-rejects: 2%
    rejects: /var/spool/catalog/rejects.jsonl
  stores:                    # the shop's store views, for what serves them
    de: {language: de, currency: EUR, website: base, root_category: Root}

A name that is no setting is an error, with its line. 'catalog config' shows
what is in effect and why.
`

const exitTopic = `What the exit status says.

` + exitHelp + `
The first signal lets the import end in order, with a report; a second one
kills. Neither, nor kill -9, nor a power cut, harms the store: what was
reported as imported is there, and the same command again does the rest.
`

// newTopics returns the help topics that are no commands.
func newTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "feeds", Short: "What a feed may look like", Long: feedsTopic},
		{Use: "settings", Short: "Where settings come from", Long: settingsTopic},
		{Use: "exit-status", Short: "What the exit status says", Long: exitTopic},
	}
}
