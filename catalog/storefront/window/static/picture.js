// Pictures of products. Where there is none to be had, a neutral drawing with
// the letter of the category stands in its place, the same one every time.

import { h } from './dom.js';

let media = ''; // prefix of image paths; '' if they lead nowhere

export function setMedia(prefix) {
  media = prefix;
}

function hash(text) {
  let n = 2166136261;
  for (let i = 0; i < text.length; i++) n = Math.imul(n ^ text.charCodeAt(i), 16777619);
  n ^= n >>> 15;
  return Math.imul(n, 2246822519) >>> 0;
}

// picture returns a product's picture: of its first image, or index'th one.
export function picture(product, { letterOf = '', size = 400, index = 0, eager = false } = {}) {
  const frame = h('span.picture');
  const image = imageURL(product, index);
  if (!image) {
    frame.append(drawing(letterOf || product.name || product.sku, product.sku + index));
    return frame;
  }
  frame.append(
    h('img', {
      src: image.url,
      alt: image.label || '',
      width: size,
      height: size,
      loading: eager ? null : 'lazy',
      decoding: 'async',
      onerror: () => frame.replaceChildren(drawing(letterOf || product.name || product.sku, product.sku + index)),
    }),
  );
  return frame;
}

export function imageCount(product) {
  return [].concat(product.images || []).length;
}

function imageURL(product, index) {
  const image = [].concat(product.images || [])[index];
  const url = image && typeof image === 'object' ? image.url : image;
  if (typeof url !== 'string' || !url || !media) return null;
  const label = typeof image === 'object' ? image.label : '';
  return { url: /^https?:\/\//.test(url) ? url : media + '/' + url.replace(/^\//, ''), label };
}

// drawing returns the stand-in: tinted by the letter, composed by the seed.
export function drawing(text, seed) {
  const letter = [...text.replace(/[^\p{L}\p{N}]/gu, '')][0] || '·';
  const n = hash(seed);
  const x = 30 + (n % 60);
  const y = 28 + ((n >>> 8) % 50);
  const r = 26 + ((n >>> 16) % 22);
  const low = 78 + ((n >>> 20) % 22);
  return h(
    'svg.drawing.tint-' + (hash(letter) % 6),
    { viewBox: '0 0 120 120', 'aria-hidden': 'true', focusable: 'false', preserveAspectRatio: 'xMidYMid slice' },
    h('circle.far', { cx: x, cy: y, r }),
    h('path.near', { d: `M0 ${low} Q ${x} ${low - 24} 120 ${low + 6} V120 H0 Z` }),
    h('text', { x: 60, y: 62, 'text-anchor': 'middle', 'dominant-baseline': 'central' }, letter.toLocaleUpperCase()),
  );
}
