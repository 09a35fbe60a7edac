package indexer

import "catalog/indexer/analysis"

// Fold returns a text as terms are compared: lower case, without diacritical
// marks, in one form of Unicode.
func Fold(s string) string { return analysis.Fold(s) }
