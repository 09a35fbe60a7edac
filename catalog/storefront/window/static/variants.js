// Variants of a product, and the choice among them by what differs.

import { h } from './dom.js';
import { labelOf, valueText } from './shop.js';
import { t } from './words.js';

const usual = ['color', 'colour', 'size', 'length', 'width', 'capacity', 'volume', 'material', 'finish', 'pack'];
const codes = /^(mpn|gtin|ean|upc|isbn|asin|id|sku)$/i; // differ, but say nothing
const maxAxes = 4;

// readVariants returns the variants of a product and the attributes by which
// they are told apart. records are those of variants that stand for themselves.
export function readVariants(p, records) {
  const list = [];
  for (const v of [].concat(p.variants || [])) {
    const own = typeof v === 'object' && v !== null ? v : { sku: String(v) };
    if (!own.sku) continue;
    const record = records[own.sku] || {};
    list.push({ sku: own.sku, name: own.name || record.name || '', attributes: { ...record.attributes, ...own.attributes } });
  }
  return { list, axes: axesOf(list) };
}

function text(v, axis) {
  const value = v.attributes[axis];
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

// axesOf takes attributes, the telling ones first, until no two variants are alike.
function axesOf(list) {
  if (!list.length) return [];
  const names = [...new Set(list.flatMap((v) => Object.keys(v.attributes)))];
  const differing = names
    .filter((n) => !codes.test(n))
    .map((n) => ({ n, distinct: new Set(list.map((v) => text(v, n))).size, rank: usual.indexOf(n.toLowerCase()) }))
    .filter((a) => a.distinct > 1 || (list.length === 1 && a.rank >= 0))
    .sort((a, b) => (a.rank < 0) - (b.rank < 0) || a.rank - b.rank || a.distinct - b.distinct);
  const axes = [];
  const apart = () => new Set(list.map((v) => axes.map((a) => text(v, a)).join('\n'))).size;
  for (const a of differing) {
    const before = apart();
    if (before === list.length || axes.length === maxAxes) break;
    axes.push(a.n);
    if (apart() === before && list.length > 1) axes.pop();
  }
  return axes;
}

// choices returns a group of radio buttons for each axis; pick is called with the
// variant that was chosen.
export function choices(variants, labels, sku, pick) {
  const { list, axes } = variants;
  if (!list.length || !axes.length) return null;
  let current = list.find((v) => v.sku === sku) || null;
  const buttons = []; // {axis, value, input, label}

  function choose(axis, value) {
    const wanted = list.filter((v) => text(v, axis) === value);
    // The one that keeps most of what was chosen before.
    const alike = (v) => axes.reduce((n, a) => n + (current && text(v, a) === text(current, a) ? 1 : 0), 0);
    current = wanted.reduce((best, v) => (alike(v) > alike(best) ? v : best), wanted[0]);
    show();
    pick(current);
  }

  function show() {
    for (const b of buttons) {
      b.input.checked = current !== null && text(current, b.axis) === b.value;
      const there = !current || list.some((v) => text(v, b.axis) === b.value && axes.every((a) => a === b.axis || text(v, a) === text(current, a)));
      b.label.toggleAttribute('data-elsewhere', !there);
      b.label.title = there ? '' : t('Not with what else is chosen');
    }
  }

  const groups = axes.map((axis, i) => {
    const label = labels.get(axis);
    const values = [...new Set(list.map((v) => text(v, axis)))].filter(Boolean);
    return h(
      'fieldset.axis',
      {},
      h('legend', {}, label?.label || labelOf(axis)),
      h(
        'div.options',
        {},
        values.map((value, j) => {
          const input = h('input', { type: 'radio', name: 'axis-' + i, id: 'axis-' + i + '-' + j, onchange: () => choose(axis, value) });
          const el = h('label', { for: input.id }, input, h('span', {}, valueText(JSON.parse(value), label)));
          buttons.push({ axis, value, input, label: el });
          return el;
        }),
      ),
    );
  });
  show();
  return h('div.choices', {}, groups);
}
