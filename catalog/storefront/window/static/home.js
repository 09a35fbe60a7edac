// The first page: what there is.

import { get } from './api.js';
import { cardFields, cards, notice, waitingCards } from './cards.js';
import { h, put } from './dom.js';
import { drawing } from './picture.js';
import { href } from './route.js';
import { shop, shown, topCategories } from './shop.js';
import { count, plural, t } from './words.js';

export async function home(main, route, { signal }) {
  if (!main.querySelector('.home')) put(main, h('div.home', {}, h('header.head', {}, h('h1', { tabindex: -1 }, shop.title)), waitingCards(8)));
  const [tree, newest] = await Promise.all([
    topCategories(route, signal),
    get('/v1/search', { sort: 'newest', size: 8, auto_facets: 0, fields: cardFields, store: route.store }, signal),
  ]);
  const at = { store: route.store, group: route.group };
  const top = shown(tree.root.children);
  put(
    main,
    h(
      'div.home',
      {},
      h('header.head', {}, h('h1', { tabindex: -1 }, shop.title), h('p.total', {}, t('{products} in {categories}', { products: plural(newest.total, '{n} product', '{n} products'), categories: plural(top.length, '{n} category', '{n} categories') }))),
      top.length > 0 && h('ul.doors', { role: 'list' }, top.map((c) => door(c, at))),
      newest.products.length > 0
        ? [h('div.row', {}, h('h2', {}, t('New in the shop')), h('a', { href: href({ view: 'search', sort: 'newest', ...at }) }, t('All products'))), cards(newest.products, route)]
        : notice(t('The shop is empty'), t('Import a feed with “catalog import FILE”; products appear here as soon as they are indexed.'), h('p.actions', {}, h('a.button', { href: href({ view: 'status', ...at }) }, t('Look at the status')))),
    ),
  );
  return { title: '' };
}

function door(c, at) {
  const below = shown(c.children).slice(0, 4);
  return h(
    'li.door',
    {},
    h('a.cover', { href: href({ view: 'category', id: c.id, ...at }) }, h('span.picture', {}, drawing(c.name, c.id)), h('span.name', {}, c.name), h('span.count', {}, count(c.count))),
    below.length > 0 && h('ul', { role: 'list' }, below.map((b) => h('li', {}, h('a', { href: href({ view: 'category', id: b.id, ...at }) }, b.name)))),
  );
}
