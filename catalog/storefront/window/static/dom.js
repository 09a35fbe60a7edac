// Elements without a framework: h makes one, put replaces what is in one.

const svgNames = new Set(['svg', 'path', 'circle', 'g', 'text', 'rect', 'line']);

// h('a.card', {href: '/', onclick: f}, 'text', [more]) returns an element. Of
// its properties those that start with "on" are listeners, true and false switch
// an attribute, null leaves it out.
export function h(spec, props, ...children) {
  const [tag, ...classes] = spec.split('.');
  const el = svgNames.has(tag) ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  if (classes.length) el.setAttribute('class', classes.join(' '));
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) el.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked') el[name] = value;
    else el.setAttribute(name, value === true ? '' : value);
  }
  append(el, children);
  return el;
}

function append(el, children) {
  for (const c of children) {
    if (Array.isArray(c)) append(el, c);
    else if (c !== null && c !== undefined && c !== false) el.append(c);
  }
}

// put replaces the children of el. What had the focus keeps it, if there is an
// element of the same id again.
export function put(el, ...children) {
  const active = document.activeElement;
  const id = active && active.id && el.contains(active) ? active.id : '';
  el.replaceChildren();
  append(el, children);
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
}

const allowed = new Set(['P', 'BR', 'UL', 'OL', 'LI', 'B', 'STRONG', 'I', 'EM', 'U', 'H2', 'H3', 'H4', 'H5', 'TABLE', 'THEAD', 'TBODY', 'TR', 'TD', 'TH', 'DL', 'DT', 'DD', 'SUB', 'SUP', 'BLOCKQUOTE', 'HR', 'SPAN', 'DIV']);
const dropped = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'IFRAME', 'OBJECT', 'EMBED', 'SVG', 'MATH', 'NOSCRIPT', 'TITLE', 'HEAD', 'FORM', 'TEXTAREA', 'SELECT']);

// rich returns the text of a feed, which may be HTML, as elements that do
// nothing but format.
export function rich(text) {
  const out = document.createDocumentFragment();
  const doc = new DOMParser().parseFromString(text, 'text/html');
  copy(doc.body, out);
  return out;
}

function copy(from, to) {
  for (const n of from.childNodes) {
    if (n.nodeType === Node.TEXT_NODE) to.append(n.data);
    else if (n.nodeType === Node.ELEMENT_NODE && !dropped.has(n.nodeName.toUpperCase())) {
      if (!allowed.has(n.nodeName)) {
        copy(n, to);
        continue;
      }
      // A page has headings of its own above these.
      const el = document.createElement(/^H[2-5]$/.test(n.nodeName) ? 'h3' : n.nodeName);
      copy(n, el);
      to.append(el);
    }
  }
}

// plain returns the text of what may be HTML.
export function plain(text) {
  return rich(text).textContent.replace(/\s+/g, ' ').trim();
}
