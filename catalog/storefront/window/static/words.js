// The window's own words in the language of the store view. The code has them in
// English; words-LANGUAGE.json has them in others, and what is missing there
// stays English.

const languages = new Set(['de', 'es', 'fr', 'it', 'nl', 'pt', 'sv']);

let words = {};
let numbers = new Intl.NumberFormat('en');
let plurals = new Intl.PluralRules('en');

export let language = 'en';

// speak changes to the language of a locale, such as "de" or "pt-BR".
export async function speak(locale) {
  const base = (locale || 'en').toLowerCase().split(/[-_]/)[0];
  let next = languages.has(base) ? base : 'en';
  if (next === language) return;
  let found = {};
  if (next !== 'en') {
    try {
      const response = await fetch(new URL('./words-' + next + '.json', import.meta.url));
      found = await response.json();
    } catch {
      next = 'en'; // rather than nothing at all
    }
  }
  if (next === language) return;
  words = found;
  language = next;
  numbers = new Intl.NumberFormat(next);
  plurals = new Intl.PluralRules(next);
}

function wordsOf(text) {
  const found = words[text];
  return typeof found === 'string' ? found : text;
}

// t returns a text with {name} replaced by what params have.
export function t(text, params = {}) {
  return wordsOf(text).replace(/\{(\w+)\}/g, (all, name) => (name in params ? params[name] : all));
}

// mix does the same with elements for params: it returns a list of children.
export function mix(text, params) {
  return wordsOf(text)
    .split(/(\{\w+\})/)
    .map((part) => (/^\{\w+\}$/.test(part) ? params[part.slice(1, -1)] ?? part : part));
}

export function count(n) {
  return numbers.format(n);
}

// plural returns what there are n of: plural(3, '{n} product', '{n} products').
export function plural(n, one, many) {
  const forms = words[many] || [one, many];
  return forms[plurals.select(n) === 'one' ? 0 : 1].replace('{n}', count(n));
}

// label puts the words of the page's frame into the language.
export function label(root) {
  for (const el of root.querySelectorAll('[data-words]')) el.textContent = t((el.dataset.english ??= el.textContent));
  for (const el of root.querySelectorAll('[data-label]')) el.setAttribute('aria-label', t((el.dataset.english ??= el.getAttribute('aria-label'))));
  for (const el of root.querySelectorAll('[placeholder]')) el.placeholder = t((el.dataset.english ??= el.placeholder));
}
