package ledger

import (
	"strings"
	"testing"
)

func TestScript(t *testing.T) {
	c := &script{}
	if err := c.run(t.Context(), nil); err != nil { // there is nothing to send
		t.Fatal(err)
	}
	c.insert(&Table{Name: "a`b", ID: "id", Key: []string{"k"}, Vals: []string{"v"}, Const: []Const{{"c", "7"}}},
		[]row{{"1", []string{"2"}, []string{"Blue shoe"}}, {"3", []string{"4"}, []string{"it's"}}})
	c.next()
	c.add("DELETE FROM x WHERE y IN ")
	c.values([]string{"p-1", `back\slash`, ""})
	c.add(" AND z=")
	c.optional("")
	c.bytes([]byte{0, 0xff})
	const want = "INSERT INTO `a``b` (`id`,`k`,`v`,`c`) VALUES ('1','2','Blue shoe','7'),('3','4',?,'7');DELETE FROM x WHERE y IN ('p-1',?,'') AND z=NULLx'00ff'"
	if got := c.text.String(); got != want {
		t.Errorf("the script is\n%s, want\n%s", got, want)
	}
	if len(c.args) != 2 || c.args[0] != "it's" || c.args[1] != `back\slash` {
		t.Errorf("its arguments are %q", c.args)
	}
}

func TestScriptRows(t *testing.T) {
	c := &script{}
	c.insert(&Table{Name: "t", ID: "id"}, make([]row, 2*maxRows+1))
	if n := strings.Count(c.text.String(), "INSERT INTO"); n != 3 {
		t.Errorf("%d statements insert %d rows", n, 2*maxRows+1)
	}
}

// FuzzPlain: what is written between quotes as it is has nothing that could end
// or bend them, in any mode of the server and any character set.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"", "24-MB01", "it's", `a\b`, "a\x00b", "é", "a;b", "a--b", "/*x*/", "\xbf'", "x\"y", "a`b", "%", "?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !plain(s) {
			return
		}
		for _, r := range s {
			if r < ' ' || r > '~' || strings.ContainsRune("'\"\\`;?%*", r) {
				t.Errorf("%q is plain, but has %q", s, r)
			}
		}
	})
}
