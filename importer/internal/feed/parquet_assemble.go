package feed

import (
	"fmt"

	"github.com/parquet-go/parquet-go"
)

// assembler makes the JSON of one nested field of one row from the values of
// its columns and their repetition and definition levels.
type assembler struct {
	d    *parquetDecoder
	base int // first leaf of the field
	bad  *Reject
}

// peek returns the next value of a leaf; false when the row has no more, which
// happens only in damaged files.
func (a *assembler) peek(leaf int) (parquet.Value, bool) {
	i := leaf - a.base
	if a.d.at[i] >= len(a.d.rows[i]) {
		a.bad = &Reject{ReasonCell, "the levels of its columns do not fit"}
		return parquet.Value{}, false
	}
	return a.d.rows[i][a.d.at[i]], true
}

// skip passes the one value that stands for a node that is not there.
func (a *assembler) skip(n *parquetNode) {
	for leaf := n.leaf; leaf < n.leaf+n.leaves; leaf++ {
		a.d.at[leaf-a.base]++
	}
}

// value appends the node's next value to d.out; false if it is null.
func (a *assembler) value(n *parquetNode) bool {
	v, ok := a.peek(n.leaf)
	if !ok {
		return false
	}
	switch n.kind {
	case nodeList, nodeMap:
		return a.repeated(n, v)
	case nodeGroup:
		if v.DefinitionLevel() < n.def && n.optional {
			a.skip(n)
			return false
		}
		a.d.out = append(a.d.out, '{')
		for _, child := range n.children {
			from := len(a.d.out)
			a.d.out = append(comma(a.d.out), child.key...)
			if !a.value(child) {
				a.d.out = a.d.out[:from]
			}
			if a.bad != nil {
				return false
			}
		}
		a.d.out = append(a.d.out, '}')
		return true
	}
	a.d.at[n.leaf-a.base]++
	if v.IsNull() {
		return false
	}
	out, bad := n.value(a.d.out, v)
	if bad != nil {
		a.bad = bad
		return false
	}
	a.d.out = out
	return true
}

// repeated appends a list or map whose first value is v.
func (a *assembler) repeated(n *parquetNode, v parquet.Value) bool {
	if v.DefinitionLevel() < n.def {
		a.skip(n)
		if v.DefinitionLevel() < n.def-1 {
			return false // null
		}
		open := "[]"
		if n.kind == nodeMap {
			open = "{}"
		}
		a.d.out = append(a.d.out, open...)
		return true
	}
	if n.kind == nodeMap {
		a.d.out = append(a.d.out, '{')
	} else {
		a.d.out = append(a.d.out, '[')
	}
	for {
		if n.kind == nodeMap {
			a.pair(n)
		} else {
			a.d.out = comma(a.d.out)
			if !a.value(n.children[0]) {
				a.d.out = append(a.d.out, "null"...)
			}
		}
		if a.bad != nil {
			return false
		}
		i := n.leaf - a.base
		if a.d.at[i] >= len(a.d.rows[i]) || a.d.rows[i][a.d.at[i]].RepetitionLevel() != n.rep {
			break
		}
	}
	if n.kind == nodeMap {
		a.d.out = append(a.d.out, '}')
	} else {
		a.d.out = append(a.d.out, ']')
	}
	return true
}

// pair appends one entry of a map as a member.
func (a *assembler) pair(n *parquetNode) {
	out := comma(a.d.out)
	a.d.out = out
	from := len(out)
	if !a.value(n.children[0]) {
		if a.bad == nil {
			a.bad = &Reject{ReasonCell, "a map has a null key"}
		}
		return
	}
	if key := a.d.out[from:]; key[0] != '"' {
		quoted := fmt.Sprintf("%q", key)
		a.d.out = append(a.d.out[:from], quoted...)
	}
	a.d.out = append(a.d.out, ':')
	if !a.value(n.children[1]) {
		a.d.out = append(a.d.out, "null"...)
	}
}
