package elasticindex

import "catalog/indexer"

type object = map[string]any

// maxKeyword is how many characters of a value are indexed at most: the engine
// refuses documents with terms over 32,766 bytes.
const maxKeyword = 8000

// mapping returns the mapping of a generation.
func mapping(meta object) object {
	// Keywords that are only searched, only sorted or counted, or both.
	searched := object{"type": "keyword", "doc_values": false, "ignore_above": maxKeyword}
	// Many words in one string cost the engine less than in an array.
	words := object{"type": "text", "analyzer": "lines", "index_options": "docs", "norms": false}
	both := object{"type": "keyword", "ignore_above": maxKeyword}
	counted := object{"type": "keyword", "index": false, "ignore_above": maxKeyword}
	long := object{"type": "long"}
	column := object{"type": "long", "index": false}
	flag := object{"type": "boolean"}

	unit := func() object {
		f := object{
			fieldStores: searched, fieldInStock: flag, fieldIDs: searched,
			fieldNames: words, fieldPrices: long, fieldNext: long, fieldSuggest: counted,
		}
		for i := range partitions {
			f["kv"+digit(i)] = both
			f["nu"+digit(i)] = both
		}
		return f
	}
	fields := unit()
	fields["u"] = object{"type": "nested", "dynamic": false, "properties": unit()}
	more := object{
		"k":    both,                     // kind
		"x":    flag,                     // the _id is not the SKU
		"h":    column,                   // hash of the body
		"sku":  both,                     // of the product
		"view": both,                     //
		"usku": counted,                  // of the unit, of flat documents
		"dk":   both,                     // key of the document, of products with several units and their variants
		"ws":   searched, "wb": searched, // stores whose search, categories show it
		"es": searched, "ei": searched, // stores with a unit that they sell, with one in stock
		"c":  both,                 // categories
		"ck": column, "cv": column, // hashes of categories with a position; rank and position
		"cr": long,                                     // created
		"nk": counted, "nw": object{"type": "integer"}, // name's collation key and words
		"sh": long,                 // sample hash
		"xf": searched,             // SKUs, folded
		"as": counted,              // attributes and their types, of one document of each product
		"mk": column, "mv": column, // prices of several units: unit and scope; rank and amount
		"mo": column, "mx": counted, // units out of stock; stores that do not sell a unit
		"mn":   counted,                                      // numbers of several units
		"t":    counted,                                      // terms to complete words with
		"d":    object{"type": "binary", "doc_values": true}, // what the fields do not say; samples read the column
		"meta": object{"type": "object", "enabled": false},   // of the meta document
	}
	for name, f := range more {
		fields[name] = f
	}
	for c := range indexer.NumClasses {
		fields[termFields[c]], fields[stemFields[c]] = words, words
	}
	return object{"dynamic": false, "_meta": meta, "properties": fields}
}

// settings returns the settings of a generation while it is built.
func (o *Options) settings() object {
	return object{
		"number_of_shards":             o.Shards,
		"number_of_replicas":           0,
		"refresh_interval":             "-1",
		"translog.durability":          "async",
		"max_result_window":            maxWindow + 1000,
		"max_terms_count":              maxTerms,
		"mapping.nested_objects.limit": 100_000,
		"gc_deletes":                   "1h", // a late repetition of an old request must not undo a delete
		"mapping.total_fields.limit":   1000,
		"analysis": object{
			"tokenizer": object{"lines": object{"type": "char_group", "tokenize_on_chars": []string{"\n"}, "max_token_length": 1 << 20}},
			"filter":    object{"indexable": object{"type": "length", "max": maxKeyword}},
			"analyzer":  object{"lines": object{"type": "custom", "tokenizer": "lines", "filter": []string{"indexable"}}},
		},
	}
}

// serving are the settings of a generation that was published.
func (o *Options) serving() object {
	return object{
		"number_of_replicas":  o.Replicas,
		"refresh_interval":    "1s",
		"translog.durability": "request",
	}
}

const (
	maxWindow = 10_000  // hits that one request reaches by number
	maxTerms  = 500_000 // values of one condition
)
