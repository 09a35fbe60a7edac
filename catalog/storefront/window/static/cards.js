// Cards of products, and what stands where there are none.

import { h, plain } from './dom.js';
import { picture } from './picture.js';
import { href } from './route.js';
import { t } from './words.js';

export const cardFields = 'name,brand,type,images,categories';

function letterOf(product) {
  const c = [].concat(product.categories || [])[0];
  const path = c && typeof c === 'object' ? c.path || c.id : c;
  return typeof path === 'string' ? path.split('/').pop() : '';
}

// live returns the slots that price-stock.js fills. Their size in the style
// sheet is that of what will be there.
export function live(sku, tag = 'p.live') {
  return h(
    tag,
    { 'data-catalog-sku': sku },
    h('span.amounts', {}, h('span.price', { 'data-catalog-price': true }), ' ', h('s.regular', { 'data-catalog-regular': true, hidden: true })),
    h('span.stock', { 'data-catalog-stock': true }),
  );
}

export function card(product, route, eager) {
  const name = plain(String(product.name ?? product.sku));
  return h(
    'li.card',
    {},
    h(
      'a.cover',
      { href: href({ view: 'product', id: product.parent || product.sku, variant: product.parent ? product.sku : '', store: route.store, group: route.group }) },
      picture(product, { letterOf: letterOf(product), eager }),
      h('span.brand', {}, product.brand || ''),
      h('span.name', {}, name),
    ),
    live(product.sku),
  );
}

export function cards(products, route) {
  return h('ul.cards', { role: 'list' }, products.map((p, i) => card(p, route, i < 4)));
}

// waitingCards are what is shown until there are some.
export function waitingCards(n = 8) {
  return h('ul.cards.waiting', { 'aria-hidden': 'true' }, Array.from({ length: n }, () => h('li.card', {}, h('span.picture'), h('span.bar'), h('span.bar.short'))));
}

// notice returns a message in the place of content.
export function notice(title, text, ...more) {
  return h('div.notice', {}, h('h2', {}, title), text && h('p', {}, text), more);
}

// fault returns what is shown when a call went wrong.
export function fault(problem, again) {
  const missing = problem.status === 404;
  return h(
    'div.notice.fault',
    { role: 'alert' },
    h('h2', {}, missing ? t('This is not here') : problem.title || t('Something went wrong')),
    h('p', {}, missing ? t('It may have been removed, or this store does not have it.') : problem.message),
    h('p.actions', {}, missing ? h('a.button', { href: '/' }, t('To the start')) : h('button.button', { type: 'button', onclick: again }, t('Try again'))),
  );
}
