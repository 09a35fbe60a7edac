// Package analysis makes words of texts: it splits, folds and stems them in the
// way of their language, and makes keys by which names are collated. Both
// documents and queries go through it, so that every index compares the same.
//
// Splitting is our own, since it is done for every byte of a catalog: runs of
// letters, marks and digits are words, a full stop between digits belongs to
// its number, an apostrophe to its word until the language has its say, words
// with hyphens are one word that also has its parts, a number keeps its unit and
// its mark for inches, and runs of Chinese, Japanese and Korean script become
// overlapping pairs of characters. Stemmers and lists of stop words are bleve's,
// collation is that of golang.org/x/text; both are asked once for each word that
// is new to an Analyzer, which remembers the answer.
package analysis
