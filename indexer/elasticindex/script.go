package elasticindex

// The scripts, in Painless. They never change: the engine compiles each once,
// what differs between queries are parameters.

// scriptPin gives the place of a pinned SKU.
const scriptPin = `def i = params.pins.get(doc[params.f].value); return i == null ? params.n : i;`

// scriptPosition finds the position in a category: ck has the categories'
// hashes and cv, in the same order, rank and position.
const scriptPosition = `
def k = doc['ck'];
for (int i = 0; i < k.size(); i++) {
  if (k.get(i) == params.h) { return (doc['cv'].get(i) & 0xFFFFFFFFL) - 2147483648L; }
}
return params.m;`

// scriptPrice finds the price of the cheapest eligible unit, of a flat document
// in p, of one with several units in mk (unit and scope) and mv (rank and
// amount). A unit's price is that of the first scope in which it has one.
const scriptPrice = `
def p = doc['p'];
if (p.size() > 0) {
  for (int s = 0; s < params.b.size(); s++) {
    long base = ((Number) params.b.get(s)).longValue();
    for (int i = 0; i < p.size(); i++) {
      long v = p.get(i);
      if (v >= base && v - base < 281474976710656L) { return (double) (v - base - 140737488355328L); }
    }
  }
  return params.m;
}
def mk = doc['mk'];
int n = mk.size();
if (n == 0) { return params.m; }
def mv = doc['mv'];
def mo = doc['mo'];
def mx = doc['mx'];
boolean found = false;
long best = 0;
int i = 0;
while (i < n) {
  long u = mk.get(i) >> 16;
  int j = i;
  while (j < n && (mk.get(j) >> 16) == u) { j++; }
  boolean ok = true;
  if (params.in) { for (int k = 0; k < mo.size(); k++) { if (mo.get(k) == u) { ok = false; } } }
  if (ok && mx.size() > 0 && mx.contains(params.store + u)) { ok = false; }
  boolean has = false;
  for (int s = 0; ok && !has && s < params.s.size(); s++) {
    long scope = ((Number) params.s.get(s)).longValue();
    for (int k = i; k < j && !has; k++) {
      if ((mk.get(k) & 0xFFFFL) == scope) {
        has = true;
        long a = (mv.get(k) & 0xFFFFFFFFFFFFL) - 140737488355328L;
        if (!found || a < best) { best = a; found = true; }
      }
    }
  }
  i = j;
}
return found ? (double) best : params.m;`

// scriptUnitPrice is the price of one flat document or nested unit.
const scriptUnitPrice = `
def p = doc[params.f];
for (int s = 0; s < params.b.size(); s++) {
  long base = ((Number) params.b.get(s)).longValue();
  for (int i = 0; i < p.size(); i++) {
    long v = p.get(i);
    if (v >= base && v - base < 281474976710656L) { return (double) (v - base - 140737488355328L); }
  }
}
return params.m;`

// scriptAttribute finds the least number of an attribute, or the greatest: of
// a flat document behind name and type, of one with several units in mn, behind
// the name and before the number of the unit, if not all have it.
const scriptAttribute = `
String best = null;
def f = doc[params.f];
int skip = params.p.length();
for (int i = 0; i < f.size(); i++) {
  String v = f.get(i);
  if (v.startsWith(params.p)) {
    String h = v.substring(skip + 1);
    if (best == null || (params.desc ? h.compareTo(best) > 0 : h.compareTo(best) < 0)) { best = h; }
  }
}
def m = doc['mn'];
for (int i = 0; i < m.size(); i++) {
  String v = m.get(i);
  if (v.startsWith(params.p)) {
    String h = v.substring(skip, skip + 16);
    if (best != null && (params.desc ? h.compareTo(best) <= 0 : h.compareTo(best) >= 0)) { continue; }
    if (v.length() > skip + 17) {
      String u = v.substring(skip + 17);
      if (doc['mx'].size() > 0 && doc['mx'].contains(params.store + u)) { continue; }
      if (params.in && doc['mo'].contains(Long.parseLong(u))) { continue; }
    }
    best = h;
  }
}
if (best == null) { return params.m; }
long n = Long.parseUnsignedLong(best, 16);
return Double.longBitsToDouble(n < 0 ? n & 0x7FFFFFFFFFFFFFFFL : ~n);`
