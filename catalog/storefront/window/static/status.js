// How the catalog is doing, kept up to date by server-sent events.

import { fault } from './cards.js';
import { Problem } from './api.js';
import { h, put } from './dom.js';
import { labelOf } from './shop.js';
import { count } from './words.js';

const slowLag = 5; // seconds that an index may lag before it is pointed out
const opened = new Set(); // imports whose details are open

export async function status(main, route, { signal }) {
  const live = h('p.pulse', { role: 'status', 'data-state': 'waiting' }, 'Connecting…');
  const body = h('div.panels');
  put(main, h('div.status', { lang: 'en' }, h('header.head', {}, h('h1', { tabindex: -1 }, 'Status'), live), body));
  const say = (state, text) => {
    if (live.dataset.state === state) return;
    live.dataset.state = state;
    live.textContent = text;
  };
  const start = () =>
    follow(
      signal,
      (doc) => {
        say('live', 'Live');
        put(body, panels(doc));
      },
      (problem) => {
        say('waiting', 'Connecting again…');
        if (!body.firstChild || problem.status === 401 || problem.status === 403) put(body, fault(problem, start), key(start));
      },
    );
  start();
  return { title: 'Status' };
}

// The token is kept for as long as the tab is open.
function token() {
  return sessionStorage.getItem('catalog-token') || '';
}

function key(start) {
  return h(
    'form.key',
    {
      onsubmit: (e) => {
        e.preventDefault();
        sessionStorage.setItem('catalog-token', new FormData(e.target).get('token'));
        start();
      },
    },
    h('label', {}, 'Token ', h('input', { name: 'token', type: 'password', autocomplete: 'off' })),
    h('button.button', { type: 'submit' }, 'Use it'),
  );
}

// follow hands on each status until signal ends, and connects again when the
// connection is lost. It reads the stream itself because EventSource cannot
// send a token.
async function follow(signal, got, lost) {
  let pause = 1000;
  while (!signal.aborted) {
    try {
      const headers = { Accept: 'text/event-stream' };
      if (token()) headers.Authorization = 'Bearer ' + token();
      const response = await fetch('/v1/status/events', { signal, headers });
      if (!response.ok) {
        const doc = await response.json().catch(() => ({}));
        lost(new Problem(response.status, doc.title || 'The status is not told', doc.detail || ''));
        if (response.status === 401 || response.status === 403) return;
      } else {
        for await (const data of events(response.body)) {
          pause = 1000;
          got(JSON.parse(data));
        }
        lost(new Problem(0, 'The connection was lost', ''));
      }
    } catch (err) {
      if (signal.aborted) return;
      lost(new Problem(0, 'The catalog cannot be reached', 'It is tried again by itself.'));
    }
    await new Promise((done) => {
      const timer = setTimeout(done, pause);
      signal.addEventListener('abort', () => (clearTimeout(timer), done()), { once: true });
    });
    pause = Math.min(2 * pause, 15000);
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text = (text + value).replace(/\r\n/g, '\n');
      for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
        const lines = text.slice(0, end).split('\n');
        if (lines.some((l) => l.startsWith('event:') && l.slice(6).trim() !== 'status')) continue;
        const data = lines.filter((l) => l.startsWith('data:')).map((l) => l.slice(5).trim());
        if (data.length) yield data.join('\n');
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function panel(title, ...content) {
  return h('section.panel', {}, h('h2', {}, title), content);
}

function figures(list) {
  return h('dl.figures', {}, list.filter(([, v]) => v !== undefined && v !== null && v !== '').map(([name, value, state]) => h('div', { 'data-state': state || null }, h('dt', {}, name), h('dd', {}, value))));
}

function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return (i ? n.toFixed(1) : n) + ' ' + units[i];
}

function seconds(s) {
  if (s < 1) return s > 0 ? 'under 1 s' : 'none';
  if (s < 120) return s.toFixed(s < 10 ? 1 : 0) + ' s';
  return s < 7200 ? Math.round(s / 60) + ' min' : Math.round(s / 3600) + ' h';
}

function when(text) {
  return h('time', { datetime: text }, new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }));
}

function panels(doc) {
  const r = doc.records || {};
  const x = doc.index || {};
  const s = doc.store || {};
  const lag = x.lag_seconds || 0;
  return [
    h('p.verdict', { 'data-state': doc.ready ? 'good' : 'bad' }, doc.ready ? 'Ready' : 'Not ready: ' + ((doc.waiting || []).join(', ') || 'starting'), doc.version && h('small', {}, ' version ' + doc.version)),
    panel('Records', figures(Object.entries(r).map(([kind, n]) => [labelOf(kind), count(n)]))),
    panel(
      'Index',
      figures([
        ['Lag', seconds(lag), lag > slowLag ? 'bad' : 'good'],
        ['Changes behind', x.behind === undefined ? '' : count(x.behind)],
        ['State', x.state],
        ['Documents', x.documents === undefined ? '' : count(x.documents)],
        ['Not indexed', x.dead_letters ? count(x.dead_letters) : '', 'bad'],
        ['Size', x.disk_bytes ? bytes(x.disk_bytes) : ''],
      ]),
      x.error && h('p.wrong', {}, x.error),
    ),
    panel('Store', figures([['Kept in', s.backend], ['Size', s.disk_bytes ? bytes(s.disk_bytes) : ''], ['Newest change', s.tail ? count(Number(s.tail.split(':').pop())) : '']])),
    doc.placeholders && Object.keys(doc.placeholders).length > 0 && panel('Placeholders', figures(Object.entries(doc.placeholders).map(([k, v]) => [labelOf(k), typeof v === 'number' ? count(v) : String(v)]))),
    doc.running?.length > 0 && h('section.panel.wide', {}, h('h2', {}, 'Imports under way'), h('ul.running', { role: 'list' }, doc.running.map(running))),
    doc.imports && imports(doc.imports),
    doc.searches && searches(doc.searches),
  ];
}

function running(i) {
  const p = i.progress || {};
  const name = [i.source || i.id, i.kind, i.mode].filter(Boolean).join(', ');
  return h(
    'li',
    {},
    h('p', {}, h('b', {}, name), ' ', h('span.count', {}, [
      p.phase,
      p.records && count(p.records) + ' records',
      p.per_second && count(Math.round(p.per_second)) + ' a second',
      p.rejected && count(p.rejected) + ' rejected',
      p.eta_seconds && seconds(p.eta_seconds) + ' left',
    ].filter(Boolean).join(' · '))),
    h('progress', { 'aria-label': name, max: p.total || null, value: p.total ? p.done : undefined }),
  );
}

const outcomes = ['read', 'created', 'updated', 'unchanged', 'deleted', 'rejected', 'duplicates', 'merged'];
const verdicts = { ok: 'good', rejects: 'fair', refused: 'fair', failed: 'bad', interrupted: 'bad' };

function imports(list) {
  if (!list.length) return panel('Imports', h('p', {}, 'There was none yet.'));
  return h(
    'section.panel.wide',
    {},
    h('h2', {}, 'Last imports'),
    h(
      'div.scroll',
      { tabindex: 0, role: 'region', 'aria-label': 'Last imports' },
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, ['Started', 'Source', 'Kind', 'Status'].map((t) => h('th', { scope: 'col' }, t)), outcomes.map((o) => h('th.number', { scope: 'col' }, labelOf(o))), h('th.number', { scope: 'col' }, 'Took'))),
        h(
          'tbody',
          {},
          list.map((i) =>
            h('tr', {}, h('td', {}, when(i.started)), h('td', {}, i.source), h('td', {}, i.kind + ', ' + i.mode), h('td', {}, h('span.pill', { 'data-state': verdicts[i.status] || 'fair' }, i.status)), outcomes.map((o) => h('td.number', {}, count(i[o] || 0))), h('td.number', {}, seconds(i.seconds))),
          ),
        ),
      ),
    ),
    list.filter((i) => i.first_rejects?.length || i.error || i.refused?.length).map(report),
  );
}

function report(i) {
  const reasons = Object.entries(i.rejects_by_reason || {}).map(([reason, n]) => labelOf(reason) + ': ' + count(n));
  return h(
    'details.report',
    { open: opened.has(i.id), ontoggle: (e) => (e.target.open ? opened.add(i.id) : opened.delete(i.id)) },
    h('summary', { id: 'report-' + i.id }, i.source + ', ', when(i.started), ': ' + (i.error || reasons.join(', ') || 'refused')),
    i.refused?.map((r) => h('p.wrong', {}, Object.entries(r).map(([k, v]) => labelOf(k) + ' ' + v).join(', '))),
    i.first_rejects?.length > 0 &&
      h(
        'div.scroll',
        { tabindex: 0, role: 'region', 'aria-label': 'First rejects' },
        h(
          'table',
          {},
          h('thead', {}, h('tr', {}, ['Feed', 'Line', 'Reason', 'Where', 'Detail'].map((t) => h('th', { scope: 'col' }, t)))),
          h('tbody', {}, i.first_rejects.map((r) => h('tr', {}, h('td', {}, r.feed), h('td', {}, r.line ?? r.offset ?? ''), h('td', {}, labelOf(r.reason)), h('td', {}, h('code', {}, r.path || '')), h('td', {}, r.detail || '')))),
        ),
      ),
  );
}

function searches(s) {
  const list = (title, rows, none) =>
    h('div', {}, h('h3', {}, title), rows?.length ? h('ol.ranking', { role: 'list' }, rows.map((r) => h('li', {}, h('a', { href: '/search?q=' + encodeURIComponent(r.q) }, r.q), h('span.count', {}, count(r.count))))) : h('p', {}, none));
  return h(
    'section.panel.wide',
    {},
    h('h2', {}, 'Searches'),
    figures([
      ['Searches', count(s.total)],
      ['Without results', s.zero === undefined ? '' : count(s.zero)],
    ]),
    (s.top || s.without_results) && h('div.columns', {}, list('Most frequent', s.top, 'Nobody searched yet.'), list('Without results', s.without_results, 'All found something.')),
  );
}
