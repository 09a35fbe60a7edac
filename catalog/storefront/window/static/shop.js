// What is known of the shop: stores, customer groups and the upper levels of
// the category tree.

import { get } from './api.js';
import { t } from './words.js';

export const shop = {
  title: 'catalog',
  default: '',
  stores: [],
  groups: [],
};

export async function loadShop() {
  const doc = await get('/v1/stores');
  shop.default = doc.default;
  shop.stores = doc.stores;
  shop.groups = doc.public_groups || [];
}

// storeOf returns the store view of a route.
export function storeOf(route) {
  return shop.stores.find((s) => s.code === (route.store || shop.default)) || shop.stores[0] || { code: '', language: 'en', currency: '' };
}

export function topCategories(route, signal) {
  return get('/v1/categories', { store: route.store, depth: 2 }, signal);
}

// shown leaves out what menus do not show.
export function shown(nodes) {
  return nodes.filter((n) => !n.hidden && n.count > 0);
}

// labelOf makes a name of a feed's members readable: "frame_type" is "Frame type".
export function labelOf(name) {
  const text = String(name).replace(/[_-]+/g, ' ').trim();
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

// valueText writes an attribute's value as a customer reads it.
export function valueText(value, label) {
  if (Array.isArray(value)) return value.map((v) => valueText(v, label)).join(', ');
  if (value === true) return t('Yes');
  if (value === false) return t('No');
  if (value !== null && typeof value === 'object') return JSON.stringify(value);
  const text = label?.options.get(String(value)) || String(value);
  return label?.unit && typeof value === 'number' ? text + ' ' + label.unit : text;
}
