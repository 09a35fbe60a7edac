// Package mapping turns records of feeds that are not ours into our records.
//
// A mapping file, YAML or JSON, says for each of our fields where its value
// comes from, and what becomes of everything else:
//
//	sku: opendb_id
//	name: metadata.name
//	brand: [metadata.manufacturer, vendor]      # the first that is there
//	categories: {path: category, levels: ">"}
//	price:
//	  price: g:price                            # "15.00 EUR" is 15.00
//	  currency: {path: g:price, default: EUR}   # … and EUR
//	stock: {in_stock: g:availability}
//	attributes: {memory_type: [ram_type, memory.ram_type]}
//	stores: {de: {name: title_de}}
//	fields: {gtin: g:gtin}                      # any other field
//	rest: attributes                            # or keep, or drop
//
// # Paths
//
// A path names members, separated by dots: metadata.name. A backslash takes
// dot, bracket, star or backslash literally. slots[] and slots[].size take each
// element of an array, slots[0] one of them. A star in a member's name stands
// for any characters but only in the lists of rest: general.*_sku.
//
// # Sources
//
// A source is a path; or a list of sources, of which the first that has a
// value is taken; or an object with one of
//
//	path      a path
//	first     a list of sources: the first that has a value
//	all       a list of sources: the values of all of them, as an array
//	join      a list of sources: their texts joined by "with" (a space), without
//	          the missing ones; of categories, the levels of one category
//	template  a text with {path} in it, for example "PC-{opendb_id}"; it has no
//	          value when one of the paths has none
//	value     a constant
//	each      a path of objects, each mapped by "map", a mapping of its own
//
// and, in this order of application,
//
//	split     separates a text into several values
//	index     takes the n-th of several values, from 0
//	trim      true: takes the white space off both ends of a text
//	values    an object of text → constant: what a value becomes
//	type      text, number, amount, currency, boolean, date, list or json
//	decimal   of numbers and amounts: the decimal separator, "." or ","
//	default   a constant, for when there is no value
//	keep      true: the paths stay part of the rest
//	levels    of categories: what separates the levels of one category in a text;
//	          absent: as in our records ("Men/Shoes", with \/ for a slash); "" :
//	          a text is one level
//	array     of categories: "levels" when an array holds the levels of one
//
// Null, "", [] and {} are no values. What a path has is taken as it is, numbers
// exactly as written, unless there is a type; our fields have the obvious one.
// A value that cannot be converted rejects the record.
//
// # The rest
//
// Everything that no source names is the rest. `rest: keep` (the default)
// leaves it where it is; `rest: attributes` makes attributes of it, with the
// names of nested objects joined by "_" and those of arrays holding the
// distinct values, sorted by name; `rest: drop` forgets it. As an object, rest is
//
//	to          keep, attributes or drop
//	separator   between the joined names
//	strip       paths of objects whose name is left out of the joined name
//	keep, attributes, drop   lists of paths that go elsewhere than `to`
//	pairs       lists of {path, name, value}: an array of objects that each hold
//	            the name and the value of one attribute
//
// An attribute that several places give gets the distinct values of all. A kept
// field that has the name of a mapped one gets a "_" after it.
package mapping
