package indexer

import (
	"errors"
	"reflect"
	"testing"
)

func ptr(f float64) *float64 { return &f }

func TestParseFilter(t *testing.T) {
	for text, want := range map[string]Filter{
		`brand=Asics,Hoka`:         {Field: "brand", Values: []string{"Asics", "Hoka"}},
		` brand = Asics , Hoka`:    {Field: "brand", Values: []string{"Asics", "Hoka"}},
		`price=50..120`:            {Field: "price", Ranges: []Range{{From: ptr(50), To: ptr(120)}}},
		`price=50..<100`:           {Field: "price", Ranges: []Range{{From: ptr(50), To: ptr(100), Open: true}}},
		`price=..9.5,100..`:        {Field: "price", Ranges: []Range{{To: ptr(9.5)}, {From: ptr(100)}}},
		`!color=red`:               {Field: "color", Not: true, Values: []string{"red"}},
		`color`:                    {Field: "color", Exists: true},
		`!color`:                   {Field: "color", Not: true, Exists: true},
		`a="x, y",z`:               {Field: "a", Values: []string{"x, y", "z"}},
		`a=x\,y`:                   {Field: "a", Values: []string{"x,y"}},
		`"a=b"=c`:                  {Field: "a=b", Values: []string{"c"}},
		`a="1..2"`:                 {Field: "a", Values: []string{"1..2"}},
		`a=x..y`:                   {Field: "a", Values: []string{"x..y"}},
		`a=b=c`:                    {Field: "a", Values: []string{"b=c"}},
		`a=""`:                     {Field: "a", Values: []string{""}},
		`t=-5..-1`:                 {Field: "t", Ranges: []Range{{From: ptr(-5), To: ptr(-1)}}},
		`d=1970-01-01..1970-01-02`: {Field: "d", Ranges: []Range{{From: ptr(0), To: ptr(2 * 86400), Open: true}}},
		`d=..<1970-01-02`:          {Field: "d", Ranges: []Range{{To: ptr(86400), Open: true}}},
		`d=1970-01..`:              {Field: "d", Ranges: []Range{{From: ptr(0)}}},
		`d=1970-01-01T00:00:01Z..`: {Field: "d", Ranges: []Range{{From: ptr(1)}}},
	} {
		got, err := ParseFilter(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "!", "=x", "a=", "a=b,", `a="b`, `a="b"c`, `"a`} {
		if f, err := ParseFilter(text); !errors.Is(err, ErrQuery) {
			t.Errorf("%q: %+v, %v", text, f, err)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{`brand=Asics,Hoka`, `price=50..<120`, `!a`, `"a=b"=c\,d,"..",1..`, `d=2026-01..`, `a=\`, `a= "x" ,y`, `a=1e5..`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseFilter(s)
		if err != nil {
			if !errors.Is(err, ErrQuery) {
				t.Fatal(err)
			}
			return
		}
		b, err := ParseFilter(a.String())
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("%q → %+v → %q → %+v, %v", s, a, a.String(), b, err)
		}
	})
}

func TestParseSort(t *testing.T) {
	for text, want := range map[string]Sort{
		"price": {By: "price"}, "-price": {By: "price", Desc: true}, "price:desc": {By: "price", Desc: true}, "price:asc": {By: "price"}, "": {},
	} {
		if got, err := ParseSort(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"-", "price:up", ":desc"} {
		if got, err := ParseSort(text); !errors.Is(err, ErrQuery) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestKeysetRoundTrip(t *testing.T) {
	k := &Keyset{Sort: Sort{By: "name"}, Key: SortKey{Num: 1.5, Text: []byte{0, 255}, SKU: "A/\x7f"}, Relaxed: RelaxedAny}
	got, err := ParseKeyset(k.String())
	if err != nil || !reflect.DeepEqual(got, k) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, s := range []string{"%", "e30x", "bnVsbA"} {
		if k, err := ParseKeyset(s); err == nil && k == nil {
			t.Errorf("%q: nothing, and no error", s)
		}
	}
}
