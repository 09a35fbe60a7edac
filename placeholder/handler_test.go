package placeholder_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"catalog/placeholder"
)

func TestHandler(t *testing.T) {
	w := newWorld(t, placeholder.Options{PerClient: 1})
	w.put("a", "1")
	w.put("b", "1")
	client := ""
	h := w.s.Handler(placeholder.HandlerOptions{Token: "secret", Client: func(*http.Request) string { return client }})
	many := `{"skus":["x"` + strings.Repeat(`,"x"`, placeholder.MaxSKUs) + `]}`
	for _, c := range []struct {
		name, method, path, token, kind, body string
		status                                int
	}{
		{"good", "POST", "/v1/placeholders", "secret", "application/json", `{"skus":["a","none"]}`, 200},
		{"with charset", "POST", "/v1/placeholders", "secret", "application/json; charset=utf-8", `{"skus":["a"]}`, 200},
		{"no type", "POST", "/v1/placeholders", "secret", "", `{"skus":["a"]} `, 200},
		{"get", "GET", "/v1/placeholders", "secret", "", ``, 405},
		{"elsewhere", "POST", "/v1/placeholders/a", "secret", "", `{"skus":["a"]}`, 404},
		{"no token", "POST", "/v1/placeholders", "", "", `{"skus":["a"]}`, 401},
		{"wrong token", "POST", "/v1/placeholders", "secre", "", `{"skus":["a"]}`, 401},
		{"form", "POST", "/v1/placeholders", "secret", "application/x-www-form-urlencoded", `skus=a`, 415},
		{"no JSON", "POST", "/v1/placeholders", "secret", "", `skus`, 400},
		{"two objects", "POST", "/v1/placeholders", "secret", "", `{"skus":["a"]}{}`, 400},
		{"numbers", "POST", "/v1/placeholders", "secret", "", `{"skus":[1]}`, 400},
		{"none", "POST", "/v1/placeholders", "secret", "", `{"skus":[]}`, 400},
		{"nothing", "POST", "/v1/placeholders", "secret", "", ``, 400},
		{"too many", "POST", "/v1/placeholders", "secret", "", many, 413},
		{"too large", "POST", "/v1/placeholders", "secret", "", `{"skus":["` + strings.Repeat("x", 1<<19) + `"]}`, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			if c.token != "" {
				r.Header.Set("Authorization", "Bearer "+c.token)
			}
			if c.kind != "" {
				r.Header.Set("Content-Type", c.kind)
			}
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			if answer.Code != c.status {
				t.Fatalf("%d %s, want %d", answer.Code, answer.Body, c.status)
			}
			if c.status == 200 {
				return
			}
			var p placeholder.Problem
			if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || p.Status != c.status || p.Detail == "" || answer.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s (%v)", answer.Header().Get("Content-Type"), answer.Body, err)
			}
		})
	}
	post := func(body string) (placeholder.Response, *httptest.ResponseRecorder) {
		r := httptest.NewRequest("POST", "/v1/placeholders", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer secret")
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		var out placeholder.Response
		if answer.Code == 200 {
			if err := json.Unmarshal(answer.Body.Bytes(), &out); err != nil {
				t.Fatal(err)
			}
		}
		return out, answer
	}
	out, _ := post(`{"skus":["a","none","b"]}`)
	if got := fmt.Sprintf("%s %s %s", out.Placeholders[0].Status, out.Placeholders[1].Status, out.Placeholders[2].Reason); got != "present unknown limit" {
		t.Errorf("answered %s", got)
	}
	client = "another"
	if out, _ := post(`{"skus":["b"]}`); out.Placeholders[0].Status != placeholder.Created || out.Placeholders[0].EntityID == 0 {
		t.Errorf("another client: %+v", out)
	}
	w.put("a", "2")
	w.db.Fail(placeholder.ErrUnavailable, 1)
	if _, answer := post(`{"skus":["a"]}`); answer.Code != 503 || answer.Header().Get("Retry-After") == "" {
		t.Errorf("a shop that is away: %d %s", answer.Code, answer.Body)
	}
}
