// Fills price and stock into any page that was made without them.
//
//   <script src="/assets/price-stock.js" defer data-store="de"></script>
//   <article data-catalog-sku="MH-100">
//     <span data-catalog-price></span> <s data-catalog-regular hidden></s>
//     <span data-catalog-stock></span>
//   </article>
//
// It looks at the whole document, now and whenever something is added, and asks
// for many SKUs in one call. An element with data-catalog-sku whose price or
// stock is on its way has data-catalog-state="pending", then "ready", "missing"
// or "error". Give the slots a width and height in CSS, and nothing moves.
//
// Attributes of the script element, all optional: data-api (the address of
// /v1/live), data-store, data-currency, data-group, data-list, data-locale, and
// the words data-from, data-in-stock, data-out-of-stock, data-no-price.
//
// The event "catalog:filled" bubbles from each element, with the answer as its
// detail. window.catalogLive has configure({store, group, headers, …}), which
// fills everything anew, and refresh().
(() => {
  'use strict';
  const script = document.currentScript;
  const config = {
    api: new URL('/v1/live', script ? script.src : location.href).href,
    locale: document.documentElement.lang || undefined,
    from: 'from',
    inStock: 'In stock',
    outOfStock: 'Sold out',
    noPrice: 'No price',
    headers: {},
    ...(script ? script.dataset : {}),
  };
  const maxSKUs = 60; // in one call
  const maxURL = 6000; // bytes
  const fresh = 20000; // ms that an answer is good for

  let known = new Map(); // SKU → {item, at}
  let round = 0; // of the configuration
  let queued = false;
  const waiting = new Set(); // SKUs that were asked for

  const elements = () => document.querySelectorAll('[data-catalog-sku]');

  function queue() {
    if (queued) return;
    queued = true;
    queueMicrotask(() => {
      queued = false;
      fill();
    });
  }

  // fill shows what is known, and asks for the rest.
  function fill() {
    const ask = new Set();
    for (const el of elements()) {
      const sku = el.dataset.catalogSku;
      if (!sku) continue;
      const k = known.get(sku);
      if (k) show(el, k.item);
      else if (el.dataset.catalogState !== 'pending') el.dataset.catalogState = 'pending';
      if (!k || Date.now() - k.at > fresh) {
        if (!waiting.has(sku)) ask.add(sku);
      }
    }
    // In one order, so that caches see the same address for the same list.
    const skus = [...ask].sort();
    const base = parameters();
    for (let i = 0; i < skus.length; ) {
      let query = base;
      const some = [];
      while (i < skus.length && some.length < maxSKUs) {
        const more = '&sku=' + encodeURIComponent(skus[i]);
        if (some.length && query.length + more.length > maxURL) break;
        query += more;
        some.push(skus[i++]);
      }
      load(query.replace(/^&/, ''), some, round);
    }
  }

  function parameters() {
    let query = '';
    for (const name of ['currency', 'group', 'list', 'store']) {
      if (config[name]) query += '&' + name + '=' + encodeURIComponent(config[name]);
    }
    return query;
  }

  async function load(query, skus, mine, again = false) {
    for (const sku of skus) waiting.add(sku);
    let answer = null;
    let pause = 0;
    try {
      const response = await fetch(config.api + '?' + query, { headers: config.headers });
      if (response.ok) answer = await response.json();
      else if (response.status === 429 || response.status === 503) {
        pause = Math.min(Number(response.headers.get('Retry-After')) || 1, 10) * 1000;
      }
    } catch {
      // Told by the state of the elements.
    }
    for (const sku of skus) waiting.delete(sku);
    if (mine !== round) return; // of another store or customer
    if (pause && !again) {
      setTimeout(() => mine === round && load(query, skus, mine, true), pause);
      return;
    }
    const items = new Map();
    for (const item of (answer && answer.items) || []) items.set(item.sku, item);
    for (const sku of skus) {
      if (answer) known.set(sku, { item: items.get(sku) || { sku, missing: true }, at: Date.now() });
      else if (!known.has(sku)) known.set(sku, { item: { sku, error: true }, at: 0 });
    }
    const asked = new Set(skus);
    for (const el of elements()) {
      const k = known.get(el.dataset.catalogSku);
      if (k && asked.has(el.dataset.catalogSku)) show(el, k.item);
    }
    if (!answer) for (const sku of skus) if (known.get(sku).item.error) known.delete(sku);
    expire(items);
  }

  // expire fills again when a price ends.
  function expire(items) {
    let next = Infinity;
    for (const item of items.values()) {
      const at = item.until ? Date.parse(item.until) - Date.now() : Infinity;
      if (at > 0) next = Math.min(next, at);
    }
    if (next < 3600e3) setTimeout(refresh, next + 500);
  }

  function amount(text, currency) {
    try {
      // Prices may have up to four places; none is rounded away.
      const options = currency ? { style: 'currency', currency, maximumFractionDigits: 4 } : { minimumFractionDigits: 2, maximumFractionDigits: 4 };
      return new Intl.NumberFormat(config.locale || undefined, options).format(text);
    } catch {
      return currency ? text + ' ' + currency : text;
    }
  }

  function put(el, name, text) {
    for (const slot of el.querySelectorAll('[' + name + ']')) {
      if (slot.textContent !== text) slot.textContent = text;
      slot.hidden = text === '' && name === 'data-catalog-regular';
    }
  }

  function show(el, item) {
    const state = item.error ? 'error' : item.missing ? 'missing' : 'ready';
    const mark = item.sku + ' ' + state + ' ' + round + ' ' + JSON.stringify(item);
    if (el.catalogShown === mark) return;
    el.catalogShown = mark;
    const currency = item.currency || config.currency;
    let price = item.error ? '–' : config.noPrice;
    if (item.price !== undefined) {
      price = amount(item.price, currency);
      if (item.max_price !== undefined) price = config.from + ' ' + price;
    }
    put(el, 'data-catalog-price', price);
    put(el, 'data-catalog-regular', item.regular === undefined ? '' : amount(item.regular, currency));
    const stock = item.in_stock === undefined ? '' : item.in_stock ? config.inStock : config.outOfStock;
    put(el, 'data-catalog-stock', stock);
    el.toggleAttribute('data-catalog-reduced', item.regular !== undefined);
    if (item.in_stock === undefined) el.removeAttribute('data-catalog-in-stock');
    else el.setAttribute('data-catalog-in-stock', String(item.in_stock));
    el.dataset.catalogState = state;
    el.dispatchEvent(new CustomEvent('catalog:filled', { bubbles: true, detail: item }));
  }

  function refresh() {
    for (const k of known.values()) k.at = 0;
    queue();
  }

  function configure(options) {
    Object.assign(config, options);
    round++;
    known = new Map();
    waiting.clear();
    queue();
  }

  window.catalogLive = { configure, refresh, amount };
  new MutationObserver((changes) => {
    for (const c of changes) {
      if (c.type === 'attributes' || c.addedNodes.length) return queue();
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-catalog-sku'] });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') queue();
  });
  queue();
})();
