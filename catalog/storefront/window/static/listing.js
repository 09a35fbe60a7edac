// Category pages and search results.

import { get, peek } from './api.js';
import { cardFields, cards, notice, waitingCards } from './cards.js';
import { h, put } from './dom.js';
import { chips, facet } from './facets.js';
import { href } from './route.js';
import { labelOf, storeOf } from './shop.js';
import { respelled } from './spelling.js';
import { count, mix, plural, t } from './words.js';

const size = 24;
const maxHits = 10000; // that pages by number reach

const sortNames = {
  relevance: 'Best match',
  position: 'Recommended',
  price: 'Price, lowest first',
  '-price': 'Price, highest first',
  name: 'Name, A to Z',
  '-name': 'Name, Z to A',
  newest: 'Newest first',
};

let filtersOpen = false; // on a phone

function calls(route) {
  const path = route.view === 'category' ? '/v1/browse' : '/v1/search';
  const query = {
    category: route.view === 'category' ? route.id : '',
    q: route.q,
    filter: new URL(href(route), location.href).searchParams.getAll('filter'),
    store: route.store,
  };
  // Prices and stock change more often than all else on the page, so what
  // depends on them is asked for apart, and the page stays in caches.
  return [
    [path, { ...query, sort: route.sort, page: route.after || route.page === 1 ? '' : route.page, after: route.after, size, fields: cardFields }],
    [path, { ...query, facet: ['price', 'in_stock'], auto_facets: 0, size: 1, fields: 'sku', group: route.group }],
  ];
}

// listing shows a category or a search in main. It returns the page's title, or
// {redirect}.
export async function listing(main, route, { signal, go }) {
  const [page, live] = calls(route);
  if (!peek(...page)) {
    if (main.firstElementChild?.dataset.listing === keyOf(route)) main.setAttribute('aria-busy', 'true');
    else put(main, waiting());
  }
  const [doc, liveDoc] = await Promise.all([get(...page, signal), get(...live, signal).catch((err) => (err.name === 'AbortError' ? Promise.reject(err) : { facets: [] }))]);
  const to = redirect(doc, route);
  if (to) return { redirect: to };
  const facets = [...liveDoc.facets, ...doc.facets.filter((f) => !liveDoc.facets.some((g) => g.field === f.field))];
  const title = doc.category ? doc.category.name : route.q ? t('“{q}”', { q: route.q }) : t('All products');
  put(main, build(doc, facets, title, route, go));
  main.removeAttribute('aria-busy');
  return { title: doc.category ? title : t('Search: {what}', { what: title }) };
}

function keyOf(route) {
  return route.view + ' ' + route.id + ' ' + route.q;
}

function waiting() {
  return h('div.listing', {}, h('header.head', {}, h('h1', { tabindex: -1 }, h('span.bar.wide', {}, '\u00a0'))), h('div.side'), h('div.results', {}, h('div.tools'), waitingCards(12)));
}

function redirect(doc, route) {
  const r = doc.redirect;
  const at = { store: route.store, group: route.group };
  if (r?.type === 'product') return href({ view: 'product', id: r.sku, ...at });
  if (r?.type === 'category') return href({ view: 'category', id: r.category, ...at });
  return null;
}

function build(doc, facets, title, route, go) {
  const currency = storeOf(route).currency;
  const at = { store: route.store, group: route.group };
  const chosen = route.filters.reduce((n, f) => n + Math.max(1, f.tokens.length), 0);
  const side = h(
    'aside.side',
    { id: 'filters', 'aria-label': t('Narrow down'), 'data-open': filtersOpen },
    categories(doc, route, at),
    facets.filter((f) => f.values.length).map((f) => facet(f, route, currency, go)),
    h('button.button.done', { type: 'button', onclick: () => toggle(false) }, t('Show {products}', { products: plural(doc.total, '{n} product', '{n} products') })),
  );
  const toggler = h(
    'button.button.filter-toggle',
    { type: 'button', id: 'filter-toggle', 'aria-expanded': String(filtersOpen), 'aria-controls': 'filters', onclick: () => toggle(!filtersOpen) },
    t('Filters'),
    chosen > 0 && h('span.chosen', {}, String(chosen)),
  );
  function toggle(open) {
    filtersOpen = open;
    if (open) side.dataset.open = 'true';
    else delete side.dataset.open;
    toggler.setAttribute('aria-expanded', String(open));
    if (!open) {
      toggler.focus({ preventScroll: true });
      main().scrollIntoView({ block: 'start' });
    }
  }
  const main = () => side.closest('main');
  if (!filtersOpen) delete side.dataset.open;
  return h(
    'div.listing',
    { 'data-listing': keyOf(route) },
    doc.category && crumbs((doc.breadcrumbs || []).slice(0, -1), at, doc.category.name),
    h('header.head', {}, h('h1', { tabindex: -1, id: 'title' }, title), h('p.total', { role: 'status' }, plural(doc.total, '{n} product', '{n} products')), corrections(doc, route, at)),
    side,
    h(
      'section.results',
      { 'aria-labelledby': 'title' },
      h('div.tools', {}, toggler, sorting(doc, route, go)),
      chips(route, facets, currency, go),
      doc.products.length ? cards(doc.products, route) : empty(doc, route, at, go),
      paging(doc, route),
    ),
  );
}

// crumbs returns the way to here: categories, and the name of what is shown.
export function crumbs(list, at, current) {
  const links = list.map((c) => ({ name: c.name, to: href({ view: 'category', id: c.id, ...at }) }));
  const items = [{ name: t('Start'), to: href({ view: 'home', ...at }) }, ...links].map((l) => h('li', {}, h('a', { href: l.to }, l.name)));
  items.push(h('li', {}, h('span', { 'aria-current': 'page' }, current)));
  return h('nav.crumbs', { 'aria-label': t('Breadcrumbs') }, h('ol', { role: 'list' }, items));
}

function categories(doc, route, at) {
  const list = (doc.categories || []).filter((c) => c.count > 0);
  if (!list.length) return null;
  const link = (c) =>
    h('li', {}, h('a', { href: route.view === 'category' || !route.q ? href({ view: 'category', id: c.id, ...at }) : href({ ...route, filters: [...route.filters.filter((f) => f.field !== 'category'), categoryFilter(c.id)], page: 1, after: '' }) }, h('span', {}, c.name), h('span.count', {}, count(c.count))));
  const first = list.slice(0, 12);
  const rest = list.slice(12);
  const hidden = rest.length ? h('ul', { role: 'list', hidden: true }, rest.map(link)) : null;
  return h(
    'nav.below',
    { 'aria-label': t('Categories') },
    h('h2', {}, t('Categories')),
    h('ul', { role: 'list' }, first.map(link)),
    hidden,
    hidden &&
      h('button.more', {
        type: 'button',
        onclick: (e) => {
          hidden.hidden = false;
          e.target.remove();
          hidden.querySelector('a').focus();
        },
      }, t('{n} more', { n: count(rest.length) })),
  );
}

function categoryFilter(id) {
  return { not: false, field: 'category', tokens: ['"' + id.replace(/["\\]/g, '\\$&') + '"'], exists: false };
}

function corrections(doc, route, at) {
  const words = (doc.corrections || []).filter((c) => c.toLowerCase() !== route.q.toLowerCase());
  const links = words.slice(0, 3).map((c, i) => [i ? ', ' : '', h('a', { href: href({ view: 'search', q: c, ...at }) }, c)]);
  const out = [];
  const meant = !links.length && doc.relaxed !== 'any' ? respelled(route.q, doc.products) : '';
  if (meant) return h('p.correction', {}, mix('Nothing is called “{q}”. These are results for {meant}.', { q: route.q, meant: h('a', { href: href({ view: 'search', q: meant, ...at }) }, h('b', {}, meant)) }));
  if (doc.total > 0 && doc.relaxed === 'typos') out.push(t('No product has exactly these words; these have words that are spelled alike.') + ' ');
  if (doc.total > 0 && doc.relaxed === 'any') out.push(t('No product has all of these words; these have some of them.') + ' ');
  if (links.length) out.push(h('span.did-you-mean', {}, mix('Did you mean {links}?', { links })));
  if (doc.redirect?.type === 'url' && /^(https?:\/\/|\/(?!\/))/.test(doc.redirect.url)) out.push(h('a', { href: doc.redirect.url, rel: 'noopener' }, t('There is a page about this.')));
  return out.length ? h('p.correction', {}, out) : null;
}

function sorting(doc, route, go) {
  const options = doc.sorts.map((s) => h('option', { value: s }, sortNames[s] ? t(sortNames[s]) : s.startsWith('-') ? t('{name}, descending', { name: labelOf(s.slice(1)) }) : labelOf(s)));
  const select = h('select', { id: 'sort', onchange: (e) => go(href({ ...route, sort: e.target.value, page: 1, after: '' })) }, options);
  select.value = doc.sort;
  return h('label.sort', { for: 'sort' }, h('span', {}, t('Sort')), select);
}

function empty(doc, route, at, go) {
  const narrowed = route.filters.length > 0;
  return notice(
    narrowed ? t('Nothing fits all of these filters') : route.q ? t('Nothing was found for “{q}”', { q: route.q }) : t('There is nothing in here yet'),
    narrowed ? t('Take one of them back.') : route.q ? t('Check the spelling, or try a word that is more general.') : t('Products appear as soon as they are imported and indexed.'),
    h('p.actions', {}, narrowed ? h('button.button', { type: 'button', onclick: () => go(href({ ...route, filters: [], page: 1, after: '' })) }, t('Clear all filters')) : h('a.button', { href: href({ view: 'home', ...at }) }, t('To all categories'))),
  );
}

function paging(doc, route) {
  if (route.after) {
    return h('nav.paging', { 'aria-label': t('Pages') }, h('a', { href: href({ ...route, after: '', page: 1 }) }, t('First page')), doc.next && h('a', { href: href({ ...route, after: doc.next, page: 1 }), rel: 'next' }, t('Next')));
  }
  const last = Math.min(Math.ceil(doc.total / size), Math.floor(maxHits / size));
  if (last < 2 && !doc.next) return null;
  const now = route.page;
  const to = (p) => href({ ...route, page: p, after: '' });
  const pages = [...new Set([1, now - 1, now, now + 1, last])].filter((p) => p >= 1 && p <= last).sort((a, b) => a - b);
  const items = [];
  pages.forEach((p, i) => {
    if (i && p > pages[i - 1] + 1) items.push(h('li', { 'aria-hidden': 'true' }, '…'));
    items.push(h('li', {}, h('a', { href: to(p), 'aria-label': t('Page {n}', { n: count(p) }), 'aria-current': p === now ? 'page' : null }, count(p))));
  });
  const next = now < last ? to(now + 1) : doc.next ? href({ ...route, after: doc.next, page: 1 }) : null;
  return h('nav.paging', { 'aria-label': t('Pages') }, now > 1 && h('a', { href: to(now - 1), rel: 'prev' }, t('Previous')), h('ol', { role: 'list' }, items), next && h('a', { href: next, rel: 'next' }, t('Next')));
}
