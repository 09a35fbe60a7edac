package elasticindex

// The few forms of queries that are used.

func term(field string, value any) object { return object{"term": object{field: value}} }

func terms(field string, values []string) object {
	if len(values) == 1 {
		return term(field, values[0])
	}
	return object{"terms": object{field: values}}
}

// all holds when every query does.
func all(queries ...any) any {
	if len(queries) == 1 {
		return queries[0]
	}
	return object{"bool": object{"filter": queries}}
}

// anyOf holds when some query does; without any it does not.
func anyOf(queries ...any) any {
	switch len(queries) {
	case 0:
		return nothing()
	case 1:
		return queries[0]
	}
	return object{"bool": object{"should": queries, "minimum_should_match": 1}}
}

func not(query any) object { return object{"bool": object{"must_not": []any{query}}} }

func nothing() object { return object{"match_none": object{}} }

func everything() object { return object{"match_all": object{}} }

func nested(query any) object {
	return object{"nested": object{"path": "u", "query": query, "score_mode": "none"}}
}

// scored gives every document that meets a query the same score.
func scored(query any, points int) object {
	return object{"constant_score": object{"filter": query, "boost": points}}
}
