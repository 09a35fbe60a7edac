// Facets: what narrows a page. Their state is in the URL; a choice moves to
// another address and nothing else.

import { h } from './dom.js';
import { labelOf } from './shop.js';
import { count, plural, t } from './words.js';
import { href, parseFilter, toggled, unquote, without } from './route.js';

const shownValues = 7; // of a facet, before "more"
const opened = new Set(); // facets of which all values are shown
const folded = new Set(); // facets that were folded

export function labelFor(field, facets = []) {
  const known = facets.find((f) => f.field === field);
  if (known && known.label && known.label !== field) return known.label;
  if (field === 'in_stock') return t('Availability');
  if (field === 'price') return t('Price');
  if (field === 'brand') return t('Brand');
  return labelOf(field);
}

function tokenOf(value) {
  const f = parseFilter(value.filter);
  return f && f.tokens[0] ? f.tokens[0] : value.value;
}

const endless = /^-?[\d.]*\.\.<?-?[\d.]*$/;

// rangeText writes a range as people do.
export function rangeText(text, format = String) {
  const [from, to] = text.replace('..<', '..').split('..');
  if (from && to) return format(from) + ' – ' + format(to);
  return from ? t('from {x}', { x: format(from) }) : t('up to {x}', { x: format(to) });
}

function formatOf(facet, currency) {
  if (facet.field === 'price') return (n) => window.catalogLive.amount(Number(n).toFixed(2), currency).replace(/[.,]00(?=\D*$)/, '');
  const unit = facet.unit ? ' ' + facet.unit : '';
  return (n) => count(Number(n)) + unit;
}

function textOf(facet, value, currency) {
  if (facet.type === 'ranges') return rangeText(value.value, formatOf(facet, currency));
  if ((value.value === 'true' || value.value === 'false') && (!value.label || value.label === value.value)) {
    if (facet.field === 'in_stock') return value.value === 'true' ? t('In stock') : t('Sold out');
    return value.value === 'true' ? t('Yes') : t('No');
  }
  return value.label || value.value;
}

// facet returns one facet as a group of check boxes, for ranges with fields for
// a range of one's own.
export function facet(f, route, currency, go) {
  const label = labelFor(f.field, [f]);
  const id = 'facet-' + f.field.replace(/[^\w-]/g, (c) => '_' + c.codePointAt(0));
  const chosen = route.filters.find((g) => g.field === f.field && !g.not)?.tokens || [];
  const isChosen = (token) => chosen.some((t) => unquote(t) === unquote(token));
  const change = (token, on) => go(href({ ...route, filters: toggled(route.filters, f.field, token, on), page: 1, after: '' }));
  const all = opened.has(f.field);
  const rows = f.values.map((v, i) => {
    const token = tokenOf(v);
    return h(
      'li',
      { hidden: !all && i >= shownValues && !isChosen(token) },
      h(
        'label',
        {},
        h('input', { type: 'checkbox', id: id + '-' + i, checked: v.selected || isChosen(token), onchange: (e) => change(token, e.target.checked) }),
        h('span', {}, textOf(f, v, currency)),
        h('span.count', { 'aria-hidden': 'true' }, count(v.count)),
        h('span.said', {}, ', ', plural(v.count, '{n} product', '{n} products')),
      ),
    );
  });
  const hidden = rows.filter((r) => r.hidden).length;
  const more =
    hidden > 0 &&
    h(
      'button.more',
      {
        type: 'button',
        id: id + '-more',
        onclick: (e) => {
          opened.add(f.field);
          const first = rows.find((r) => r.hidden);
          rows.forEach((r) => (r.hidden = false));
          e.target.remove();
          first?.querySelector('input').focus();
        },
      },
      t('{n} more', { n: count(hidden) }),
    );
  const summary = h('summary', { id: id + '-title' }, h('span', {}, label), f.unit && f.field !== 'price' ? h('small', {}, f.unit) : null, chosen.length > 0 && h('span.chosen', {}, h('span', { 'aria-hidden': 'true' }, String(chosen.length)), h('span.said', {}, t('{n} chosen', { n: chosen.length }))));
  const el = h(
    'details.facet',
    { open: !folded.has(f.field), ontoggle: (e) => (e.target.open ? folded.delete(f.field) : folded.add(f.field)) },
    summary,
    h('ul', { role: 'group', 'aria-labelledby': id + '-title' }, rows),
    more,
    f.type === 'ranges' && own(f, id, label, chosen, currency, route, go),
    all && f.more > 0 && h('p.rest', {}, t('{n} rare values are not listed', { n: count(f.more) })),
  );
  return el;
}

// own returns the fields for a range of one's own.
function own(f, id, label, chosen, currency, route, go) {
  const listed = new Set(f.values.map((v) => unquote(tokenOf(v))));
  const mine = chosen.find((t) => endless.test(unquote(t)) && !listed.has(unquote(t))) || (chosen.length === 1 && endless.test(unquote(chosen[0])) ? chosen[0] : '');
  const [from, to] = mine ? unquote(mine).replace('..<', '..').split('..') : ['', ''];
  const field = (name, value, hint, at) =>
    h('input', { type: 'number', step: 'any', inputmode: 'decimal', id: id + '-' + at, name: at, value, placeholder: hint === undefined ? '' : String(Math.abs(hint) < 10 ? Math.round(hint * 100) / 100 : Math.round(hint)), 'aria-label': label + ', ' + name + (currency && f.field === 'price' ? ' ' + currency : f.unit ? ' ' + f.unit : '') });
  return h(
    'form.range',
    {
      onsubmit: (e) => {
        e.preventDefault();
        const data = new FormData(e.target);
        const a = String(data.get('from') || '').trim();
        const b = String(data.get('to') || '').trim();
        const filters = without(route.filters, f.field);
        if (a || b) filters.push({ not: false, field: f.field, tokens: [a + '..' + b], exists: false });
        go(href({ ...route, filters, page: 1, after: '' }));
      },
    },
    field(t('lowest'), from, f.min, 'from'),
    h('span', { 'aria-hidden': 'true' }, '–'),
    field(t('highest'), to, f.max, 'to'),
    h('button', { type: 'submit', id: id + '-go', 'aria-label': t('Apply {label}', { label }) }, t('Go')),
  );
}

// chips returns what is chosen, each with a way to take it back.
export function chips(route, facets, currency, go) {
  const list = [];
  route.filters.forEach((f) => {
    const known = facets.find((g) => g.field === f.field);
    for (const token of f.tokens.length ? f.tokens : ['']) {
      const value = known?.values.find((v) => unquote(tokenOf(v)) === unquote(token));
      let text = unquote(token);
      if (!token) text = f.not ? t('none') : t('any');
      else if (value) text = textOf(known, value, currency);
      else if (endless.test(text) && !token.startsWith('"')) text = rangeText(text, formatOf({ field: f.field, unit: known?.unit }, currency));
      else if (f.field === 'in_stock') text = text === 'true' ? t('In stock') : t('Sold out');
      const filters = f.not || f.exists ? route.filters.filter((g) => g !== f) : toggled(route.filters, f.field, token, false);
      list.push(
        h(
          'li',
          {},
          h(
            'button.chip',
            { type: 'button', 'aria-label': t('Remove {what}', { what: labelFor(f.field, facets) + ' ' + text }), onclick: () => go(href({ ...route, filters, page: 1, after: '' })) },
            h('span', {}, (f.not ? t('not {x}', { x: labelFor(f.field, facets) }) : labelFor(f.field, facets)) + ': '),
            h('b', {}, text),
            h('span', { 'aria-hidden': 'true' }, ' ×'),
          ),
        ),
      );
    }
  });
  if (list.length > 1) list.push(h('li', {}, h('button.chip.clear', { type: 'button', onclick: () => go(href({ ...route, filters: [], page: 1, after: '' })) }, t('Clear all'))));
  return list.length ? h('ul.chips', { 'aria-label': t('Chosen filters') }, list) : null;
}

