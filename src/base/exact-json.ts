/**
 * JSON that is kept exactly as it was written, or refused. `JSON.parse` rounds 9007199254740993, turns 1e400 into Infinity
 * (written as null), keeps the last of two equal keys without a word, and makes texts of halves of surrogate pairs, which
 * no UTF-8 can hold: what is stored would not be what was sent.
 */
import { cutText } from './text/cut-text.ts';
import { BROKEN_TEXT, hasLoneSurrogate, wellFormed } from './text/well-formed.ts';

/** Why JSON is not accepted. */
export interface JsonFault {
  /** As in `params.list[2]`; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/** Where and why, in one line. */
export function faultText({ path, message }: JsonFault): string {
  return path === '' ? message : `${path}: ${message}`;
}

export type ExactJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: JsonFault };

/** Levels of lists and objects: code that walks a value recursively relies on a limit. */
export const MAX_JSON_DEPTH = 64;
const MAX_SHOWN = 60;

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** The value of a JSON text, unless something in it would be changed, or is nested too deeply. */
export function readExactJson(json: string): ExactJson {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return { ok: false, fault: { path: '', message: `not JSON: ${why}` } };
  }
  const fault = faultInJson(json);
  return fault === null ? { ok: true, value } : { ok: false, fault };
}

/** The first thing in a text of valid JSON that is not accepted; null if there is none. */
export function faultInJson(json: string): JsonFault | null {
  return new Scan(json).fault();
}

/** Whether the number, read by JavaScript and written again, has the same value. Zero loses its sign. */
export function isKept(written: string): boolean {
  const read = Number(written);
  if (!Number.isFinite(read)) return false;
  // Too small a number becomes zero.
  if (read === 0) return !/[1-9]/.test(written.split(/e/i, 1)[0] ?? '');
  return decimalOf(written) === decimalOf(String(read));
}

/** A canonical form: the digits without zeros at the ends, and the power of ten of the last one. */
function decimalOf(written: string): string {
  const [mantissa = '', exponent = '0'] = written.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace(/^[+-]/, '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  const sign = mantissa.startsWith('-') ? '-' : '';
  return `${sign}${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}

/** Up to 15 digits are always kept, and powers of ten below 100. */
const MAX_SURE_LENGTH = 15;
const LARGE_POWER = /[eE][+-]?\d{3}/;

const CODE = {
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  zero: 0x30,
  nine: 0x39,
  openList: 0x5b,
  backslash: 0x5c,
  closeList: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/** An object or a list that the scan is inside of. */
interface Level {
  /** Of an object, without quotes and with its escapes undone; null in a list. */
  readonly keys: Set<string> | null;
  /** Whether the next text is a key. */
  isKeyNext: boolean;
  /** The present key of an object, the present place in a list. */
  step: string | number;
}

/** One pass over valid JSON. */
class Scan {
  readonly #json: string;
  readonly #levels: Level[] = [];
  #at = 0;

  constructor(json: string) {
    this.#json = json;
  }

  fault(): JsonFault | null {
    const json = this.#json;
    while (this.#at < json.length) {
      const message = this.#next(json.charCodeAt(this.#at));
      if (message !== null) return { path: this.#path(), message };
    }
    return null;
  }

  /** Reads one token. @returns why it is not accepted */
  #next(code: number): string | null {
    switch (code) {
      case CODE.quote:
        return this.#text();
      case CODE.openObject:
        return this.#open({ keys: new Set(), isKeyNext: true, step: '' });
      case CODE.openList:
        return this.#open({ keys: null, isKeyNext: false, step: 0 });
      case CODE.closeObject:
      case CODE.closeList:
        this.#levels.pop();
        break;
      case CODE.comma:
        this.#comma();
        break;
      default:
        if (code === CODE.minus || (code >= CODE.zero && code <= CODE.nine)) return this.#number();
    }
    this.#at++;
    return null;
  }

  #open(level: Level): string | null {
    if (this.#levels.length >= MAX_JSON_DEPTH) {
      // The path would say the same at great length.
      this.#levels.length = 0;
      return `nested deeper than ${MAX_JSON_DEPTH} levels`;
    }
    this.#levels.push(level);
    this.#at++;
    return null;
  }

  #comma(): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    if (typeof level.step === 'number') level.step++;
    else level.isKeyNext = true;
  }

  #text(): string | null {
    const raw = this.#json.slice(this.#at + 1, this.#endOfText());
    this.#at += raw.length + 2;
    const level = this.#levels.at(-1);
    if (level?.keys && level.isKeyNext) return this.#key(level, level.keys, unescaped(raw));
    return isBroken(raw) ? BROKEN_TEXT : null;
  }

  #key(level: Level, keys: Set<string>, key: string): string | null {
    level.isKeyNext = false;
    level.step = key;
    if (hasLoneSurrogate(key)) return BROKEN_TEXT;
    // Every object has a property of this name, so the key would get lost.
    if (key === '__proto__') return 'the key "__proto__" is not allowed: choose another name';
    if (keys.has(key)) return 'the key is there twice: keep one of them';
    keys.add(key);
    return null;
  }

  /** The place of the closing quote. */
  #endOfText(): number {
    let end = this.#json.indexOf('"', this.#at + 1);
    while (end !== -1 && this.#isEscaped(end)) end = this.#json.indexOf('"', end + 1);
    return end === -1 ? this.#json.length : end;
  }

  #isEscaped(at: number): boolean {
    let before = at - 1;
    while (before > this.#at && this.#json.charCodeAt(before) === CODE.backslash) before--;
    return (at - before) % 2 === 0;
  }

  #number(): string | null {
    const from = this.#at;
    while (isOfNumber(this.#json.charCodeAt(this.#at))) this.#at++;
    const written = this.#json.slice(from, this.#at);
    if (written.length <= MAX_SURE_LENGTH && !LARGE_POWER.test(written)) return null;
    if (isKept(written)) return null;
    return `the number ${written.slice(0, MAX_SHOWN)} cannot be kept exactly: send it as text, or with at most 15 digits`;
  }

  #path(): string {
    return pathText(this.#levels.map(({ step }) => step));
  }
}

/** Digits, signs, the point, and the letter of a power. */
function isOfNumber(code: number): boolean {
  if (code >= CODE.zero && code <= CODE.nine) return true;
  return code === CODE.minus || code === 0x2b || code === 0x2e || code === 0x45 || code === 0x65;
}

function isBroken(raw: string): boolean {
  if (SURROGATE_ESCAPE.test(raw)) return hasLoneSurrogate(unescaped(raw));
  return hasLoneSurrogate(raw);
}

function unescaped(raw: string): string {
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw;
}

/** Characters of a key that a message shows. */
const MAX_KEY = 100;

/** As in `params.list[2]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const name = cutText(wellFormed(String(step)), MAX_KEY, '…');
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}

/**
 * The JSON value that a program hands over as an object: a copy, since the program may change its own.
 * Properties that are undefined count as not there.
 */
export function readExactValue(given: unknown): ExactJson {
  const fault = faultInValue(given, []);
  if (fault !== null) return { ok: false, fault };
  const value: unknown = given === undefined ? undefined : JSON.parse(JSON.stringify(given));
  return { ok: true, value };
}

function faultInValue(value: unknown, path: readonly PropertyKey[]): JsonFault | null {
  const message = faultOf(value, path.length);
  if (message !== null) return { path: path.length >= MAX_JSON_DEPTH ? '' : pathText(path), message };
  if (typeof value !== 'object' || value === null) return null;
  const isList = Array.isArray(value);
  for (const [key, each] of Object.entries(value)) {
    const step = isList ? Number(key) : key;
    if (hasLoneSurrogate(key)) return { path: pathText([...path, key]), message: BROKEN_TEXT };
    const fault = each === undefined && !isList ? null : faultInValue(each, [...path, step]);
    if (fault !== null) return fault;
  }
  return null;
}

function faultOf(value: unknown, depth: number): string | null {
  switch (typeof value) {
    case 'string':
      return hasLoneSurrogate(value) ? BROKEN_TEXT : null;
    case 'number':
      return Number.isFinite(value) ? null : `${value} is not a number that JSON has`;
    case 'boolean':
      return null;
    case 'object':
      break;
    default:
      return depth === 0 && value === undefined ? null : `expected a JSON value, got ${typeof value}`;
  }
  if (value === null) return null;
  if (depth >= MAX_JSON_DEPTH) return `nested deeper than ${MAX_JSON_DEPTH} levels`;
  if (Array.isArray(value)) return null;
  if (Object.hasOwn(value, '__proto__')) return 'the key "__proto__" is not allowed: choose another name';
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return null;
  return `expected a JSON value, got an object of the class ${value.constructor?.name ?? '(none)'}: make a text or a plain object of it`;
}
