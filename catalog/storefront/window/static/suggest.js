// The search field: a combobox with a list of suggestions, as the ARIA practices
// describe it. The focus stays in the field; arrow keys move through the list.

import { get } from './api.js';
import { h, plain, put } from './dom.js';
import { href, parseFilter } from './route.js';
import { plural, t } from './words.js';

const pause = 120; // ms after the last key

// combobox makes one of a form with an input and a list. current returns the
// route that is shown; go moves to an address.
export function combobox(form, current, go) {
  const input = form.querySelector('input');
  const list = form.querySelector('[role=listbox]');
  const said = form.querySelector('[role=status]');
  let options = []; // {el, href, text}
  let active = -1;
  let typed = '';
  let timer = 0;
  let calls = null;

  function close() {
    clearTimeout(timer);
    calls?.abort();
    options = [];
    active = -1;
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function mark(i) {
    options[active]?.el.setAttribute('aria-selected', 'false');
    active = i;
    const o = options[active];
    if (!o) {
      input.removeAttribute('aria-activedescendant');
      input.value = typed;
      return;
    }
    o.el.setAttribute('aria-selected', 'true');
    o.el.scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', o.el.id);
    input.value = o.text || typed;
  }

  function show(found, route) {
    options = [];
    const groups = [];
    const at = { store: route.store, group: route.group };
    const add = (title, items) => {
      if (!items.length) return;
      const id = 'suggest-group-' + groups.length;
      const rows = items.map(({ target, text, ...item }) => {
        const o = { href: href({ ...target, ...at }), text };
        o.el = h('li', { role: 'option', id: 'suggest-' + options.length, 'aria-selected': 'false', onpointerdown: (e) => e.preventDefault(), onclick: () => choose(o.href) }, item.show);
        options.push(o);
        return o.el;
      });
      groups.push(h('li', { role: 'presentation' }, h('span.title', { id, 'aria-hidden': 'true' }, title), h('ul', { role: 'group', 'aria-label': title }, rows)));
    };
    const before = typed.replace(/\S+\s*$/, '');
    add(
      t('Searches'),
      found.words.slice(0, 4).map((w) => ({ text: before + w, show: [h('span', {}, before), h('b', {}, w)], target: { view: 'search', q: before + w } })),
    );
    add(
      t('Categories'),
      found.categories.slice(0, 4).map((c) => ({ show: [h('b', {}, c.name), h('small', {}, upper(c.path))], target: { view: 'category', id: c.id } })),
    );
    add(
      t('Brands and properties'),
      found.values.slice(0, 4).map((v) => ({
        show: [h('b', {}, v.value), h('small', {}, v.label)],
        target: { view: 'search', q: '', filters: [parseFilter(v.filter)] },
      })),
    );
    add(
      t('Products'),
      found.products.slice(0, 5).map((p) => ({ show: [h('b', {}, plain(String(p.name ?? p.sku))), h('small', {}, p.brand || p.sku)], target: { view: 'product', id: p.sku } })),
    );
    active = -1;
    input.removeAttribute('aria-activedescendant');
    put(list, groups);
    list.hidden = options.length === 0;
    input.setAttribute('aria-expanded', String(options.length > 0));
    said.textContent = options.length ? plural(options.length, '{n} suggestion', '{n} suggestions') : t('No suggestions');
  }

  function upper(path) {
    return path.split('/').slice(0, -1).join(' › ');
  }

  function choose(target) {
    close();
    input.blur();
    go(target);
  }

  input.addEventListener('input', () => {
    typed = input.value;
    clearTimeout(timer);
    calls?.abort();
    if (!typed.trim()) return close();
    timer = setTimeout(async () => {
      calls = new AbortController();
      const route = current();
      try {
        show(await get('/v1/suggest', { q: typed, limit: 5, fields: 'name,brand', store: route.store }, calls.signal), route);
      } catch (err) {
        if (err.name !== 'AbortError') close();
      }
    }, pause);
  });

  input.addEventListener('keydown', (e) => {
    if (e.isComposing) return;
    const n = options.length;
    switch (e.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        if (!n) return;
        e.preventDefault();
        const step = e.key === 'ArrowDown' ? 1 : -1;
        // One place beyond either end is the field itself.
        mark(((active + 1 + step + n + 1) % (n + 1)) - 1);
        return;
      }
      case 'Escape':
        if (!list.hidden) {
          e.preventDefault();
          input.value = typed;
          close();
        }
        return;
      case 'Enter':
        if (options[active]) {
          e.preventDefault();
          choose(options[active].href);
        }
    }
  });

  input.addEventListener('blur', close);
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    const q = input.value.trim();
    close();
    input.blur();
    const route = current();
    go(q ? href({ view: 'search', q, store: route.store, group: route.group }) : href({ view: 'home', store: route.store, group: route.group }));
  });

  return {
    set(text) {
      if (document.activeElement === input && input.value) return;
      typed = text;
      input.value = text;
    },
  };
}
