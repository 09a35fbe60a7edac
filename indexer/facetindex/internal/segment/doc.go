// Package segment reads and writes the immutable files that hold documents.
//
// # Rows and order
//
// Documents are in the order of their products' categories, and of those in the
// same categories in that of SKU and view: what a category page reads is close
// together. All documents of a product follow each other. Numbers of SKUs are
// in the order of SKUs, so that a lower one breaks ties. A document's units have
// consecutive row numbers, in the order of their SKUs. A document that is not complex has one unit that has no
// attributes and no stores of its own.
//
// # File format, version 3
//
//	magic "CATSEG" and version (2 bytes)
//	sections, one behind the other
//	table: for each section its name, offset, length and CRC-32C
//	offset, length and CRC-32C of the table; magic
//
// The sections (encodings are those of package codec):
//
//	meta      how many documents and rows
//	skus      dictionary of all SKUs; the SKU of each document and of each row;
//	          rows ordered by SKU; SKUs ordered by their folded form;
//	          documents ordered by SKU, unless that is their order (not in
//	          version 2, in which it always is)
//	docs      first row, view, flags, sample hash, creation of each document;
//	          which are complex
//	names     collation keys, their order, numbers of words
//	titles    names, deflated in blocks; titleends: where each block ends
//	postings  for each word and class the documents
//	lexicon   dictionary of term and stem (see lexeme.go), where each's postings
//	          are; stems that are not their words' terms
//	attrs     for each attribute a field; attrnames: dictionary, where each is
//	schema    which attributes each document has
//	stores    field of the stores that see a document, and who they are shown to
//	sellers   field of the stores that sell a unit
//	cats      field of categories; documents and positions in each
//	valwords  the words of attribute values
//	sums      CRC-32C of each 64 KiB of all that is in front of it
//
// A field is a dictionary of texts; values (text, type, number); sets of
// values; and columns that map documents and rows to sets. Code 0 means none,
// codes 1 … n the value of that place alone, those above a set. Numbers are
// integers if all of a field are, else eight bytes each. The first
// column has what any unit of a document has, the second what complex
// documents' products have themselves, the third what units have of their own.
//
// A segment of a build that is merged before anybody searches it is brief: it
// has no lists but the postings, and no order of folded SKUs.
package segment
