package elasticindex_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// call sends a request to a server by the side of the index.
func call(t testing.TB, method, url, body string) []byte {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= 300 && resp.StatusCode != http.StatusNotFound {
		t.Fatalf("%s %s: %s %s", method, url, resp.Status, b)
	}
	return b
}

// indexes lists what a server has of an index.
func indexes(t testing.TB, url, name string) []string {
	t.Helper()
	var answer map[string]any
	if err := json.Unmarshal(call(t, "GET", url+"/catalog-"+name+"-*", ""), &answer); err != nil {
		t.Fatal(err)
	}
	var list []string
	for n := range answer {
		list = append(list, n)
	}
	return list
}

// drop removes all of an index.
func drop(t testing.TB, url, name string) {
	t.Helper()
	for _, n := range indexes(t, url, name) {
		call(t, "DELETE", url+"/"+n, "")
	}
	call(t, "DELETE", url+"/_index_template/catalog-"+name, "")
}
