package ledger

import (
	"context"
	"database/sql"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// activeRule is the condition under which a cart price rule s may still count.
const activeRule = "s.is_active=1 AND (s.to_date IS NULL OR s.to_date>=CURRENT_DATE())"

// loadRules finds out which attributes and categories active cart price rules
// ask a product for.
func (s *Schema) loadRules(ctx context.Context, r Reader, f Facts) error {
	if !r.Has("salesrule") {
		return nil
	}
	if r.Has("salesrule_product_attribute") {
		err := r.Each(ctx, func(rows *sql.Rows) error {
			var code string
			if err := rows.Scan(&code); err != nil {
				return err
			}
			if _, ok := s.Info.Attributes[code]; ok {
				s.Info.RuleAttributes = append(s.Info.RuleAttributes, code)
			}
			return nil
		}, "SELECT DISTINCT a.attribute_code FROM "+r.Table("salesrule_product_attribute")+" p JOIN "+r.Table("salesrule")+
			" s ON s.rule_id=p.rule_id JOIN "+r.Table("eav_attribute")+" a ON a.attribute_id=p.attribute_id WHERE "+activeRule)
		if err != nil {
			return err
		}
		slices.Sort(s.Info.RuleAttributes)
	}
	return s.loadRuleCategories(ctx, r)
}

// ruleCategory finds the ids that a rule's conditions compare categories with,
// in JSON (Magento 2) and in PHP's serialization (OpenMage).
var ruleCategory = regexp.MustCompile(`"category_ids"(?:,"operator":"[^"]*","value":|;s:8:"operator";s:\d+:"[^"]*";s:5:"value";)((?:[^;\]}]*\])|(?:a:\d+:\{[^}]*\})|[^;,}]*"[^"]*")`)

var quotedIDs = regexp.MustCompile(`"([0-9, ]+)"`)

// categoryIDs returns the category ids in a rule's serialized conditions.
func categoryIDs(conditions string) (ids []int) {
	for _, m := range ruleCategory.FindAllStringSubmatch(conditions, -1) {
		for _, q := range quotedIDs.FindAllStringSubmatch(m[1], -1) {
			for _, part := range strings.Split(q[1], ",") {
				if id, err := strconv.Atoi(strings.TrimSpace(part)); err == nil && !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
		}
	}
	return ids
}

// loadRuleCategories reads the paths of the categories in active rules.
func (s *Schema) loadRuleCategories(ctx context.Context, r Reader) error {
	cols, err := r.columns(ctx, "salesrule", "catalog_category_entity")
	if err != nil {
		return err
	}
	if _, ok := cols["salesrule"]["conditions_serialized"]; !ok {
		return nil
	}
	if _, ok := cols["catalog_category_entity"]["path"]; !ok {
		return nil
	}
	var ids []int
	err = r.Each(ctx, func(rows *sql.Rows) error {
		var conditions, actions sql.NullString
		if err := rows.Scan(&conditions, &actions); err != nil {
			return err
		}
		ids = append(append(ids, categoryIDs(conditions.String)...), categoryIDs(actions.String)...)
		return nil
	}, "SELECT s.conditions_serialized, s.actions_serialized FROM "+r.Table("salesrule")+" s WHERE "+activeRule)
	if err != nil || len(ids) == 0 {
		return err
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	paths := map[int][]string{} // category id → ids from the root on
	var all []string
	err = r.Each(ctx, func(rows *sql.Rows) error {
		var id int
		var path string
		if err := rows.Scan(&id, &path); err != nil {
			return err
		}
		paths[id] = strings.Split(path, "/")
		all = append(all, paths[id]...)
		return nil
	}, "SELECT entity_id, path FROM "+r.Table("catalog_category_entity")+" WHERE entity_id IN "+marks(len(ids)), anys(ids)...)
	if err != nil {
		return err
	}
	names, err := categoryNames(ctx, r, all)
	if err != nil {
		return err
	}
	for id, path := range paths {
		if len(path) < 3 {
			continue // the tree's root, or a website's
		}
		var b strings.Builder
		for i, step := range path[2:] {
			if i > 0 {
				b.WriteByte('/')
			}
			b.WriteString(strings.NewReplacer(`\`, `\\`, "/", `\/`).Replace(names[step]))
		}
		if s.Info.RuleCategories == nil {
			s.Info.RuleCategories = map[string]int{}
		}
		s.Info.RuleCategories[b.String()] = id
	}
	return nil
}

// categoryNames reads the admin store's names of categories.
func categoryNames(ctx context.Context, r Reader, ids []string) (map[string]string, error) {
	names := map[string]string{}
	if len(ids) == 0 || !r.Has("catalog_category_entity_varchar") {
		return names, nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = numeric(id)
	}
	err := r.Each(ctx, func(rows *sql.Rows) error {
		var id string
		var name sql.NullString
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
		names[id] = name.String
		return nil
	}, "SELECT v.entity_id, v.value FROM "+r.Table("catalog_category_entity_varchar")+" v JOIN "+r.Table("eav_attribute")+
		" a ON a.attribute_id=v.attribute_id AND a.attribute_code='name' JOIN "+r.Table("eav_entity_type")+
		" t ON t.entity_type_id=a.entity_type_id AND t.entity_type_code='catalog_category' WHERE v.store_id=0 AND v.entity_id IN "+marks(len(ids)), args...)
	return names, err
}
