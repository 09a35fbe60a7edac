// Addresses: what the page shows is all in the URL, so that it can be
// bookmarked, sent to somebody, and gone back to.
//
//   /                        the shop
//   /c/ID  or  /c?id=ID      a category
//   /p/SKU or  /p?sku=SKU    a product, ?variant=SKU one of its variants; /product?sku=
//                            is what sitemaps have
//   /search?q=               a search
//   /status                  how the catalog is doing
//
// A category and a search may have filter (as the API takes it, repeated), sort,
// page and after; everything may have store and group.

const plainID = /^[^/\\?#%]+(\/[^/\\?#%]+)*$/;
const dots = /(^|\/)\.{1,2}(\/|$)/;

export function parse(url) {
  const query = url.searchParams;
  const route = {
    view: 'missing',
    store: query.get('store') || '',
    group: query.get('group') || '',
    q: (query.get('q') || '').trim(),
    filters: query.getAll('filter').map(parseFilter).filter(Boolean),
    sort: query.get('sort') || '',
    page: Math.max(1, parseInt(query.get('page'), 10) || 1),
    after: query.get('after') || '',
    id: '',
    variant: query.get('variant') || '',
  };
  const [, top, rest] = url.pathname.match(/^\/([^/]*)\/?(.*)$/);
  if (top === '') route.view = 'home';
  else if (top === 'search') route.view = 'search';
  else if (top === 'status') route.view = 'status';
  else if (top === 'c' || top === 'p' || top === 'product') {
    route.id = rest ? decode(rest) : query.get(top === 'c' ? 'id' : 'sku') || '';
    if (route.id) route.view = top === 'c' ? 'category' : 'product';
  }
  return route;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// href returns the address of a route; what is left out is not in it.
export function href(route) {
  const query = new URLSearchParams();
  let path = '/';
  if (route.view === 'search' || route.view === 'status') path = '/' + route.view;
  if (route.view === 'category' || route.view === 'product') {
    path = route.view === 'category' ? '/c' : '/p';
    if (plainID.test(route.id) && !dots.test(route.id) && (route.view === 'category' || !route.id.includes('/'))) {
      path += '/' + route.id.split('/').map(encodeURIComponent).join('/');
    } else query.set(route.view === 'category' ? 'id' : 'sku', route.id);
  }
  if (route.q) query.set('q', route.q);
  for (const f of route.filters || []) if (f.tokens.length || f.exists) query.append('filter', formatFilter(f));
  if (route.sort) query.set('sort', route.sort);
  if (route.after) query.set('after', route.after);
  if (route.page > 1) query.set('page', route.page);
  if (route.variant) query.set('variant', route.variant);
  if (route.store) query.set('store', route.store);
  if (route.group) query.set('group', route.group);
  const text = query.toString();
  return text ? path + '?' + text : path;
}

// parseFilter takes a filter of the API apart: {not, field, tokens}. Tokens stay
// as they are written, quotes and all; null of what is none.
export function parseFilter(text) {
  let rest = text.trim();
  const not = rest.startsWith('!');
  if (not) rest = rest.slice(1);
  const [field, behind] = word(rest, '=');
  if (!field.trim()) return null;
  const tokens = [];
  rest = behind;
  while (rest) {
    let token;
    [token, rest] = word(rest.slice(1), ',');
    if (token.trim()) tokens.push(token.trim());
  }
  return { not, field: unquote(field.trim()), tokens, exists: tokens.length === 0 };
}

function word(s, end) {
  let quoted = false;
  for (let i = 0; i < s.length; i++) {
    if (s[i] === '\\') i++;
    else if (s[i] === '"') quoted = !quoted;
    else if (s[i] === end && !quoted) return [s.slice(0, i), s.slice(i)];
  }
  return [s, ''];
}

export function unquote(token) {
  const t = token.startsWith('"') && token.endsWith('"') && token.length > 1 ? token.slice(1, -1) : token;
  return t.replace(/\\(.)/g, '$1');
}

function quoteName(name) {
  return /[=,"\\!\s]/.test(name) ? '"' + name.replace(/["\\]/g, '\\$&') + '"' : name;
}

export function formatFilter(f) {
  return (f.not ? '!' : '') + quoteName(f.field) + (f.tokens.length ? '=' + f.tokens.join(',') : '');
}

// toggled returns filters with one token of a field put in or taken out.
export function toggled(filters, field, token, on) {
  const same = (t) => t === token || unquote(t) === unquote(token);
  const out = filters.map((f) => ({ ...f, tokens: [...f.tokens] }));
  let f = out.find((g) => g.field === field && !g.not && !g.exists);
  if (!f) {
    f = { not: false, field, tokens: [], exists: false };
    out.push(f);
  }
  f.tokens = f.tokens.filter((t) => !same(t));
  if (on) f.tokens.push(token);
  return out.filter((g) => g.tokens.length || g.exists);
}

// without returns filters without those of a field.
export function without(filters, field) {
  return filters.filter((f) => f.field !== field || f.not);
}
