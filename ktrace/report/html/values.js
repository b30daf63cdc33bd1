'use strict';
// Values as the session file writes them, and how they read: the twin of ktrace/trace/value.py.

const many = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;
const ABSENT = Symbol('absent');
const isObject = value => value !== null && typeof value === 'object' && !Array.isArray(value);
const isRef = value => isObject(value) && '$ref' in value;
const isBytes = value => isObject(value) && ('$bytes' in value || '$run' in value);
const refKey = ref => ref.slice(ref.indexOf(':') + 1);
const refKind = ref => ref.slice(0, ref.indexOf(':'));
const label = ref => refKey(ref).startsWith(refKind(ref)) ? refKey(ref) : refKind(ref) + ' ' + refKey(ref);
const keyOf = value => isRef(value) ? refKey(value.$ref) : String(value);

function bytes(value) {
  return '$bytes' in value ? value.$bytes : String.fromCharCode(value.$run[0]).repeat(value.$run[1]);
}

function size(value) {
  return '$bytes' in value ? value.$bytes.length : value.$run[1];
}

// Pairs of a mapping, whichever way it was written.
function pairs(value) {
  if (!isObject(value)) return [];
  return '$map' in value ? value.$map : Object.entries(value);
}

function quoted(value, limit = 24) {
  const text = bytes(value);
  let out = '';
  for (const char of text.slice(0, limit)) {
    const code = char.charCodeAt(0);
    if (char === '"' || char === '\\') out += '\\' + char;
    else if (code >= 32 && code < 127) out += char;
    else out += {9: '\\t', 10: '\\n', 13: '\\r', 0: '\\0'}[code] ?? '\\x' + code.toString(16).padStart(2, '0');
  }
  return '"' + out + '"' + (text.length > limit ? `...(${text.length})` : '');
}

const members = value => Object.entries(value).filter(([name]) => name !== '$');

function isEmpty(value) {
  if (value === null || value === false) return true;
  if (Array.isArray(value)) return value.every(item => item === null);
  if (isBytes(value)) return size(value) === 0;
  return isObject(value) && !('$' in value) && !isRef(value) && pairs(value).length === 0;
}

function short(value, zeros = false) {
  if (value === ABSENT) return 'absent';
  if (value === null || value === undefined) return 'NULL';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) {
    if (value.length && value.every(item => typeof item === 'string')) return value.join('|');
    return '[' + runs(value.map(item => short(item, zeros))).join(', ') + ']';
  }
  if (isRef(value)) return refKey(value.$ref);
  if (isBytes(value)) return quoted(value);
  if ('$' in value) {
    const shown = members(value).filter(([, item]) => !isEmpty(item) && (zeros || item !== 0));
    return '{' + shown.map(([name, item]) =>
      name + ' ' + (name === 'mode' && typeof item === 'number' ? octal(item) : short(item, zeros))).join(' ') + '}';
  }
  return '{' + pairs(value).map(([key, item]) => keyOf(key) + ': ' + (key === 'sa_family' ? FAMILIES[item] ?? item : short(item, zeros))).join(', ') + '}';
}

// include/linux/socket.h
const FAMILIES = {0: 'AF_UNSPEC', 1: 'AF_UNIX', 2: 'AF_INET', 10: 'AF_INET6', 16: 'AF_NETLINK', 17: 'AF_PACKET'};
const octal = value => value.toString(8).padStart(4, '0');

function runs(items) {
  const out = [];
  for (let start = 0, end; start < items.length; start = end) {
    for (end = start; end < items.length && items[end] === items[start];) end++;
    if (end - start > 2) out.push(`${items[start]} x ${end - start}`);
    else out.push(...items.slice(start, end));
  }
  return out;
}

// Whether two encoded values are the same.
function same(one, other) {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every(key => key in other && same(one[key], other[key]));
}

// Every leaf that differs: {path, before, after}; the twin of ktrace/state/compare.py.
function* differ(path, before, after) {
  if (before === after) return;
  const shape = value => value === null || typeof value !== 'object' ? typeof value : Array.isArray(value) ? 'list'
    : isRef(value) ? 'ref' : isBytes(value) ? 'bytes' : value.$ ?? 'map';
  if (before === ABSENT || after === ABSENT || shape(before) !== shape(after)) {
    yield {path, before, after};
  } else if (Array.isArray(before)) {
    for (let index = 0; index < Math.max(before.length, after.length); index++)
      yield* differ(`${path}[${index}]`, index < before.length ? before[index] : ABSENT,
        index < after.length ? after[index] : ABSENT);
  } else if (typeof before === 'object' && before !== null && !isRef(before) && !isBytes(before)) {
    if ('$' in before) {
      for (const [name, value] of members(after)) yield* differ(path ? `${path}.${name}` : name, before[name] ?? null, value);
    } else {
      const old = new Map(pairs(before).map(([key, value]) => [keyOf(key), value]));
      const now = new Map(pairs(after).map(([key, value]) => [keyOf(key), value]));
      for (const key of new Set([...old.keys(), ...now.keys()]))
        yield* differ(`${path}[${key}]`, old.has(key) ? old.get(key) : ABSENT, now.has(key) ? now.get(key) : ABSENT);
    }
  } else if (!same(before, after) && !(isRef(before) && refKind(before.$ref) === 'page')) {
    // The names of pages hold within one World only.
    yield {path, before, after};
  }
}

// Elements are only ever made here: text is text, never markup.
function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [property, item] of Object.entries(value)) element.style.setProperty(property, item);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}
