// Tells whether what was found is spelled otherwise than what was typed.

export function fold(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function words(text) {
  return fold(text).match(/[\p{L}\p{N}]+/gu) || [];
}

// near reports whether two words are one edit apart: a letter more, less, other,
// or two neighbours swapped.
function near(a, b) {
  if (a.length > b.length) [a, b] = [b, a];
  if (b.length - a.length > 1 || a === b) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  if (a.length < b.length) return a.slice(i) === b.slice(i + 1);
  if (a.slice(i + 1) === b.slice(i + 1)) return true;
  return a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}

// respelled returns the text with the words of products in the place of those
// that no product shown has; '' if it has them all, or nothing like them.
export function respelled(text, products) {
  const there = new Map(); // word → how often
  for (const p of products) {
    for (const w of words([p.name, p.brand, p.sku, JSON.stringify(p.categories ?? '')].join(' '))) there.set(w, (there.get(w) || 0) + 1);
  }
  const all = [...there.keys()];
  let changed = false;
  const out = words(text).map((w) => {
    if (w.length < 4 || all.some((o) => o.startsWith(w))) return w;
    const like = all.filter((o) => near(w, o)).sort((a, b) => there.get(b) - there.get(a))[0];
    changed ||= like !== undefined;
    return like ?? w;
  });
  return changed ? out.join(' ') : '';
}
