// A product's page. Price and stock come by a call of their own, see
// price-stock.js; choosing a variant only names another SKU for it.

import { get } from './api.js';
import { cardFields, cards, live } from './cards.js';
import { h, plain, put, rich } from './dom.js';
import { crumbs } from './listing.js';
import { imageCount, picture } from './picture.js';
import { href } from './route.js';
import { labelOf, storeOf, valueText } from './shop.js';
import { choices, readVariants } from './variants.js';
import { count, plural, t } from './words.js';

// Members that have a place of their own, or are of no use to a customer.
const placed = new Set(['sku', 'name', 'brand', 'description', 'short_description', 'images', 'variants', 'categories', 'attributes', 'stores', 'type', 'status', 'visibility', 'url_key', 'websites', 'related', 'upsell', 'crosssell', 'tax_class', 'created_at', 'updated_at', 'supplier_id', 'meta_title', 'meta_description', 'meta_keywords']);

export async function product(main, route, { signal, replace }) {
  if (!main.querySelector('.product')) put(main, h('div.product.waiting', {}, h('div.pictures', {}, h('span.picture')), h('div.buy', {}, h('h1', { tabindex: -1 }, h('span.bar.wide', {}, '\u00a0')), h('span.bar.short'))));
  const doc = await get('/v1/products/' + encodeURIComponent(route.id), { store: route.store, expand: 'variants,breadcrumbs' }, signal);
  const p = doc.product;
  const variants = readVariants(p, doc.variants || {});
  const names = [...new Set([...Object.keys(p.attributes || {}), ...variants.axes])];
  const labels = await labelsOf(names, route, signal);
  const name = plain(String(p.name ?? p.sku));
  const at = { store: route.store, group: route.group };
  const chain = (doc.breadcrumbs || [])[0] || [];
  const letter = chain.length ? chain[chain.length - 1].name : name;

  const slots = live(p.sku, 'div.live.large');
  slots.setAttribute('aria-live', 'polite');
  const tiers = h('p.tiers');
  const skuLine = h('code', {}, p.sku);
  slots.addEventListener('catalog:filled', (e) => put(tiers, tierText(e.detail, route)));
  const pick = (v) => {
    slots.dataset.catalogSku = v ? v.sku : p.sku;
    skuLine.textContent = v ? v.sku : p.sku;
  };
  const chooser = choices(variants, labels, route.variant, (v) => {
    pick(v);
    replace(href({ ...route, variant: v ? v.sku : '' }));
  });
  pick(variants.list.find((v) => v.sku === route.variant));

  const short = p.short_description && plain(String(p.short_description));
  put(
    main,
    h(
      'article.product',
      {},
      crumbs(chain, at, name),
      pictures(p, letter),
      h(
        'div.buy',
        {},
        p.brand && h('a.brand', { href: href({ view: 'search', filters: [{ field: 'brand', tokens: ['"' + String(p.brand).replace(/["\\]/g, '\\$&') + '"'] }], ...at }) }, p.brand),
        h('h1', { tabindex: -1 }, name),
        h('p.sku', {}, 'SKU ', skuLine),
        slots,
        tiers,
        chooser,
        short && h('p.short', {}, short),
      ),
      h(
        'div.about',
        {},
        p.description && h('section.text', {}, h('h2', {}, t('Description')), h('div', {}, rich(String(p.description)))),
        facts(p, labels),
        variants.list.length > 0 && table(variants, labels, p, at),
      ),
    ),
  );
  if (p.related || p.upsell || p.crosssell) related(main, p, route, signal);
  return { title: name };
}

async function labelsOf(names, route, signal) {
  const labels = new Map(names.map((n) => [n, { label: labelOf(n), unit: '', options: new Map() }]));
  if (!names.length) return labels;
  try {
    const doc = await get('/v1/attributes', { name: names.slice(0, 100), store: route.store }, signal);
    for (const a of doc.attributes) {
      labels.set(a.name, {
        label: a.label && a.label !== a.name ? a.label : labelOf(a.name),
        unit: a.unit || '',
        options: new Map((a.options || []).map((o) => [o.value, o.label])),
      });
    }
  } catch (err) {
    if (err.name === 'AbortError') throw err;
  }
  return labels;
}

function pictures(p, letter) {
  const n = Math.min(Math.max(1, imageCount(p)), 5);
  const large = h('div.large', {}, picture(p, { letterOf: letter, size: 800, eager: true }));
  if (n === 1) return h('div.pictures', {}, large);
  const buttons = Array.from({ length: n }, (_, i) => {
    const b = h('button', { type: 'button', 'aria-label': t('Picture {i} of {n}', { i: i + 1, n }), 'aria-pressed': String(i === 0) }, picture(p, { letterOf: letter, size: 100, index: i }));
    b.addEventListener('click', () => {
      put(large, picture(p, { letterOf: letter, size: 800, index: i, eager: true }));
      buttons.forEach((o) => o.setAttribute('aria-pressed', String(o === b)));
    });
    return b;
  });
  return h('div.pictures', {}, large, h('div.thumbs', { role: 'group', 'aria-label': t('Pictures') }, buttons));
}

function tierText(item, route) {
  const format = (text) => window.catalogLive.amount(text, item.currency || storeOf(route).currency);
  return (item.tiers || []).slice(0, 4).map((tier, i) => [i ? ' · ' : '', t('{n} or more:', { n: count(tier.quantity) }), ' ', h('b', {}, format(tier.price))]);
}

function facts(p, labels) {
  const rows = Object.entries(p.attributes || {}).map(([name, v]) => [labels.get(name)?.label || labelOf(name), valueText(v, labels.get(name))]);
  for (const [name, v] of Object.entries(p)) {
    if (!placed.has(name) && v !== null && (typeof v !== 'object' || Array.isArray(v))) rows.push([labelOf(name), valueText(v)]);
  }
  if (!rows.length) return null;
  return h('section.facts', {}, h('h2', {}, t('Details')), h('dl', {}, rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))));
}

const maxTable = 100; // variants

function table(variants, labels, p, at) {
  const box = h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': t('Variants') });
  const fill = () => {
    if (box.firstChild) return;
    box.append(
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, variants.axes.map((a) => h('th', { scope: 'col' }, labels.get(a)?.label || labelOf(a))), h('th', { scope: 'col' }, 'SKU'), h('th', { scope: 'col' }, t('Price and stock')))),
        h(
          'tbody',
          {},
          variants.list.slice(0, maxTable).map((v) =>
            h(
              'tr',
              {},
              variants.axes.map((a) => h('td', {}, valueText(v.attributes[a] ?? '', labels.get(a)))),
              h('td', {}, h('a', { href: href({ view: 'product', id: p.sku, variant: v.sku, ...at }) }, h('code', {}, v.sku))),
              h('td', {}, live(v.sku, 'div.live')),
            ),
          ),
        ),
      ),
    );
  };
  return h('details.all', { ontoggle: (e) => e.target.open && fill() }, h('summary', {}, plural(variants.list.length, '{n} variant', 'All {n} variants')), box);
}

async function related(main, p, route, signal) {
  const titles = { related: 'Goes well with it', upsell: 'You may like this better', crosssell: 'Others also took' };
  for (const [kind, title] of Object.entries(titles)) {
    if (!p[kind]) continue;
    try {
      const doc = await get('/v1/related', { sku: p.sku, kind, size: 8, fields: cardFields, store: route.store }, signal);
      if (doc.products.length && !signal.aborted) main.querySelector('.product')?.append(h('section.related', {}, h('h2', {}, t(title)), cards(doc.products, route)));
    } catch {
      return; // the page is of use without
    }
  }
}

