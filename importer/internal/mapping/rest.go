package mapping

import "catalog/importer/yaml"

// rest decodes what becomes of everything that no source names.
func (d *decoder) rest(n *yaml.Node) error {
	if !n.Object {
		return d.restTo(n)
	}
	for _, f := range n.Fields {
		var err error
		switch f.Key {
		case "to":
			err = d.restTo(f.Value)
		case "separator":
			var ok bool
			if d.m.sep, ok = f.Value.Text(); !ok {
				err = fault(f.Line, "separator is a text")
			}
		case "strip":
			err = d.marked(f, func(n *node) { n.strip = true })
		case "keep":
			err = d.marked(f, func(n *node) { n.to = toKeep })
		case "attributes":
			err = d.marked(f, func(n *node) { n.to = toAttributes })
		case "drop":
			err = d.marked(f, func(n *node) { n.to = toDrop })
		case "pairs":
			err = d.pairs(f)
		default:
			err = fault(f.Line, "unknown key %q of rest; known are to, separator, strip, keep, attributes, drop, pairs", f.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) restTo(n *yaml.Node) error {
	switch s, _ := n.Text(); s {
	case "keep":
		d.m.rest = toKeep
	case "attributes":
		d.m.rest = toAttributes
	case "drop":
		d.m.rest = toDrop
	default:
		return fault(n.Line, "the rest goes to keep, attributes or drop")
	}
	return nil
}

// marked marks the paths of a list. They may hold stars.
func (d *decoder) marked(f yaml.Member, mark func(*node)) error {
	if f.Value.Object || f.Value.Scalar != nil {
		return fault(f.Line, "%s is a list of paths", f.Key)
	}
	for _, item := range f.Value.Items {
		path, ok := item.Text()
		if !ok {
			return fault(item.Line, "a path is a text")
		}
		steps, err := parsePath(path, true)
		if err != nil {
			return fault(item.Line, "%v", err)
		}
		mark(d.m.paths.add(steps))
	}
	return nil
}

func (d *decoder) pairs(f yaml.Member) error {
	if f.Value.Object || f.Value.Scalar != nil {
		return fault(f.Line, "pairs is a list of {path, name, value}")
	}
	for _, item := range f.Value.Items {
		p := pairs{slot: -1}
		for _, m := range item.Fields {
			text, ok := m.Value.Text()
			if !ok {
				return fault(m.Line, "%s is a text", m.Key)
			}
			switch m.Key {
			case "path":
				var err error
				if p.slot, err = d.slotAt(text, m.Line, false); err != nil {
					return err
				}
			case "name":
				p.name = text
			case "value":
				p.value = text
			default:
				return fault(m.Line, "unknown key %q of pairs; known are path, name, value", m.Key)
			}
		}
		if p.slot < 0 || p.name == "" || p.value == "" {
			return fault(item.Line, "pairs need path, name and value")
		}
		d.m.pairs = append(d.m.pairs, p)
	}
	return nil
}
