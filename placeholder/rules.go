package placeholder

import (
	"slices"
	"strconv"
	"strings"

	"catalog/catalog"
)

// ruleAttributes adds the attributes that active cart price rules ask for,
// where the document has them in a form that the shop knows.
func (m *maker) ruleAttributes() {
	for _, code := range m.info.RuleAttributes {
		a, ok := m.info.Attributes[code]
		if !ok || slices.ContainsFunc(m.p.Values, func(v Value) bool { return v.Attribute == code }) {
			continue
		}
		if text := m.ruleValue(a, m.f.attribute(code)); text != "" {
			m.set(code, 0, text)
		}
	}
}

// ruleValue turns a document's value into what the attribute's column takes;
// "" when it cannot.
func (m *maker) ruleValue(a Attribute, v catalog.Value) string {
	if a.Options != nil {
		var ids []string
		for e := range v.Elements() {
			if id, ok := a.Options[strings.ToLower(strings.TrimSpace(scalar(e)))]; ok {
				ids = append(ids, strconv.Itoa(id))
			}
		}
		if len(ids) > 1 && a.Input != "multiselect" {
			ids = ids[:1]
		}
		return strings.Join(ids, ",")
	}
	var texts []string
	for e := range v.Elements() {
		if t := strings.TrimSpace(scalar(e)); t != "" {
			texts = append(texts, t)
		}
	}
	if len(texts) == 0 {
		return ""
	}
	switch a.Backend {
	case "decimal":
		return fixed(texts[0], a.Scale)
	case "int":
		switch strings.ToLower(texts[0]) {
		case "true", "yes":
			return "1"
		case "false", "no":
			return "0"
		}
		if n, err := strconv.ParseInt(texts[0], 10, 32); err == nil {
			return strconv.FormatInt(n, 10)
		}
		return ""
	case "datetime":
		day, ok := m.bound(texts[0][:min(len(texts[0]), len("2006-01-02"))], true)
		if !ok {
			return ""
		}
		return day
	}
	return m.clean(strings.Join(texts, ", "), a)
}

// scalar returns the text of anything but objects and arrays.
func scalar(v catalog.Value) string {
	switch v.Type() {
	case catalog.ValueObject, catalog.ValueArray, catalog.ValueNull:
		return ""
	}
	return v.Text()
}

// ruleCategories adds those of the shop's categories that cart rules ask for:
// the product's own ones and their ancestors, with or without the root.
func (m *maker) ruleCategories() {
	if len(m.info.RuleCategories) == 0 {
		return
	}
	for e := range m.f.paths.Elements() {
		path := textOf(e)
		if e.Type() == catalog.ValueObject {
			path = textOf(member(e, "path"))
		}
		steps := splitPath(path)
		for from := 0; from < min(2, len(steps)); from++ {
			for to := from + 1; to <= len(steps); to++ {
				if id, ok := m.info.RuleCategories[strings.Join(steps[from:to], "/")]; ok {
					m.p.Categories = append(m.p.Categories, id)
				}
			}
		}
	}
	slices.Sort(m.p.Categories)
	m.p.Categories = slices.Compact(m.p.Categories)
}

// splitPath splits a category's path at its slashes, which a backslash makes
// part of a name. Each part is as a path of its own, escapes kept.
func splitPath(path string) []string {
	var steps []string
	start := 0
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '/':
			steps = append(steps, path[start:i])
			start = i + 1
		}
	}
	if start < len(path) {
		steps = append(steps, path[start:])
	}
	return steps
}
