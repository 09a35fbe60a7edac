// Calls of the API. Answers are kept for as long as the page is open, a few
// dozen of them, so that going back needs no network.

import { t } from './words.js';

export class Problem extends Error {
  constructor(status, title, detail) {
    super(detail || title);
    this.status = status;
    this.title = title;
  }
}

const kept = new Map(); // address → {doc, at}
const maxKept = 60;
const maxAge = 60000; // ms

export function address(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined || value === '') continue;
    for (const v of Array.isArray(value) ? value : [value]) query.append(name, v);
  }
  query.sort();
  const text = query.toString();
  return text ? path + '?' + text : path;
}

// peek returns an answer that is at hand, or null.
export function peek(path, params) {
  const k = kept.get(address(path, params));
  return k && Date.now() - k.at < maxAge ? k.doc : null;
}

// get returns the answer to a call. Errors are a Problem, or an AbortError.
export async function get(path, params, signal) {
  const url = address(path, params);
  const known = peek(path, params);
  if (known) return known;
  let response;
  try {
    response = await fetch(url, { signal, headers: { Accept: 'application/json' } });
  } catch (err) {
    if (err.name === 'AbortError') throw err;
    throw new Problem(0, t('The shop cannot be reached'), t('Check the connection, then try again.'));
  }
  if (!response.ok) {
    let doc = {};
    try {
      doc = await response.json();
    } catch {
      // A proxy's page: its status says enough.
    }
    throw new Problem(response.status, doc.title || t('The answer was {status}', { status: response.status }), doc.detail);
  }
  const doc = await response.json();
  kept.delete(url);
  kept.set(url, { doc, at: Date.now() });
  if (kept.size > maxKept) kept.delete(kept.keys().next().value);
  return doc;
}
