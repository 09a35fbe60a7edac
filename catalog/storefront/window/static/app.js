// The shop window: shows what the address says.

import { Problem } from './api.js';
import { fault } from './cards.js';
import { h, put } from './dom.js';
import { home } from './home.js';
import { listing } from './listing.js';
import { setMedia } from './picture.js';
import { product } from './product.js';
import { href, parse } from './route.js';
import { loadShop, shop, shown, storeOf, topCategories } from './shop.js';
import { status } from './status.js';
import { combobox } from './suggest.js';
import { label, language, speak, t } from './words.js';

const views = { home, category: listing, search: listing, product, status };

const main = document.getElementById('main');
const said = document.getElementById('said');
const menu = document.getElementById('menu');
const storeSwitch = document.getElementById('store');
const groupSwitch = document.getElementById('group');

let route = parse(new URL(location.href));
let work = new AbortController();
let customer = ''; // as catalogLive knows it

shop.title = document.documentElement.dataset.title;
setMedia(document.documentElement.dataset.media);
history.scrollRestoration = 'manual';

const search = combobox(document.getElementById('search'), () => route, go);

// go moves to an address, as a link does.
function go(address) {
  keepScroll();
  history.pushState({}, '', address);
  show({ moved: true });
}

function replace(address) {
  history.replaceState(history.state, '', address);
  route = parse(new URL(location.href));
}

function keepScroll() {
  history.replaceState({ ...history.state, scroll: scrollY }, '');
}

async function show({ moved = false, scroll = 0 } = {}) {
  work.abort();
  work = new AbortController();
  const { signal } = work;
  const before = route;
  route = parse(new URL(location.href));
  const same = moved && before.view === route.view && before.id === route.id && before.q === route.q && before.page === route.page;
  customerOf(route);
  search.set(route.view === 'search' ? route.q : '');
  document.documentElement.dataset.view = route.view;
  const again = () => show({ scroll });
  const view = views[route.view];
  try {
    if (!shop.stores.length) await loadShop();
    if (signal.aborted) return;
    await speak(storeOf(route).language);
    if (signal.aborted) return;
    switches();
    if (document.documentElement.lang !== language) reword();
    customerOf(route);
    drawMenu(signal);
    if (!view) throw new Problem(404, t('Not found'));
    const shownAs = await view(main, route, { signal, go, replace });
    if (signal.aborted) return;
    if (shownAs.redirect) {
      history.replaceState(history.state, '', shownAs.redirect);
      return show({ moved });
    }
    title(shownAs.title);
  } catch (err) {
    if (signal.aborted || err.name === 'AbortError') return;
    main.removeAttribute('aria-busy');
    put(main, fault(err instanceof Problem ? err : new Problem(0, t('Something went wrong'), String(err.message)), again));
    title(err.status === 404 ? t('Not found') : t('Error'));
    if (!(err instanceof Problem)) throw err;
  }
  if (same) return; // a filter: whoever clicked it stays where they are
  if (moved) main.querySelector('h1')?.focus({ preventScroll: true });
  scrollTo(0, scroll);
}

function title(text) {
  document.title = text ? text + ' · ' + shop.title : shop.title;
  said.textContent = document.title;
}

function customerOf(r) {
  const store = storeOf(r);
  const now = JSON.stringify([r.store, r.group, store.currency, store.language]);
  if (now === customer) return;
  customer = now;
  window.catalogLive.configure({ store: r.store, group: r.group, currency: undefined, locale: store.language || 'en', ...priceWords() });
}

// priceWords are what price-stock.js says.
function priceWords() {
  return { from: t('from'), inStock: t('In stock'), outOfStock: t('Sold out'), noPrice: t('No price') };
}

// reword puts what stays on the page into another language.
function reword() {
  document.documentElement.lang = language;
  label(document);
  customer = ''; // prices have words, too
}

function switches() {
  const to = (change) => {
    // A category's id and a product's SKU are the same in all stores; what is
    // chosen of one store's words and prices is not.
    go(href({ view: route.view, id: route.id, q: route.q, store: route.store, group: route.group, ...change }));
  };
  if (!storeSwitch.options.length) {
    const currencies = new Set(shop.stores.map((s) => s.currency)).size > 1;
    put(storeSwitch, shop.stores.map((s) => h('option', { value: s.code }, s.code + (currencies && s.currency ? ' · ' + s.currency : ''))));
    storeSwitch.addEventListener('change', () => to({ store: storeSwitch.value === shop.default ? '' : storeSwitch.value }));
    storeSwitch.closest('label').classList.toggle('off', shop.stores.length < 2);
    put(groupSwitch, [h('option', { value: '', 'data-words': true }, 'Everybody'), shop.groups.map((g) => h('option', { value: g }, g))]);
    groupSwitch.addEventListener('change', () => to({ group: groupSwitch.value }));
    groupSwitch.closest('label').classList.toggle('off', shop.groups.length === 0);
  }
  storeSwitch.value = route.store || shop.default;
  groupSwitch.value = route.group;
}

let menuOf = null;

async function drawMenu(signal) {
  const at = { store: route.store, group: route.group };
  const state = JSON.stringify(at);
  if (menuOf !== state) {
    try {
      const doc = await topCategories(route, signal);
      menuOf = state;
      put(menu, shown(doc.root.children).map((c) => h('li', {}, h('a', { href: href({ view: 'category', id: c.id, ...at }), 'data-id': c.id }, c.name))));
      document.getElementById('home').href = href({ view: 'home', ...at });
      document.getElementById('to-status').href = href({ view: 'status', ...at });
    } catch {
      return; // the page itself says what is wrong
    }
  }
  for (const a of menu.querySelectorAll('a')) {
    if (route.view === 'category' && (route.id === a.dataset.id || route.id.startsWith(a.dataset.id + '/'))) a.setAttribute('aria-current', 'true');
    else a.removeAttribute('aria-current');
  }
}

document.addEventListener('click', (e) => {
  if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  const a = e.target.closest('a[href]');
  if (!a || a.target || a.hasAttribute('download')) return;
  const url = new URL(a.href);
  if (url.origin !== location.origin) return;
  if (url.hash && url.pathname === location.pathname && url.search === location.search) return;
  if (parse(url).view === 'missing') return;
  e.preventDefault();
  if (url.href === location.href) return show({ moved: true });
  go(url.href);
});

addEventListener('popstate', (e) => show({ scroll: e.state?.scroll || 0 }));
addEventListener('pagehide', keepScroll);
addEventListener('scrollend', keepScroll); // whoever goes back and forth finds their place

show({ scroll: history.state?.scroll || 0 });
