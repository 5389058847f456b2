/**
 * JSON whose numbers are kept exactly. `JSON.parse` rounds 9007199254740993 and turns 1e400 into Infinity, which is written as
 * null: what is stored would not be what was sent, without a word.
 */

/** A number that would be changed. */
export interface InexactNumber {
  /** As in `params.list[2]`; empty for the value itself. */
  readonly path: string;
  /** As it was written, cut if it is long. */
  readonly written: string;
}

/**
 * Only such a text can hold a number that is changed: up to 15 digits, and powers of ten below 100, are always kept. Most
 * texts are done with this.
 */
const SUSPICIOUS = /[\d.]{16}|\d[eE][+-]?\d{3}/;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const MAX_SHOWN = 60;

/** The first number in a text of valid JSON that JavaScript does not keep exactly; null if there is none. */
export function inexactNumberIn(json: string): InexactNumber | null {
  return SUSPICIOUS.test(json) ? scan(json) : null;
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

/** A list has the index of its present item, an object the key. */
type Step = number | string;

function scan(json: string): InexactNumber | null {
  const path: Step[] = [];
  for (let at = 0; at < json.length; ) {
    const character = json[at];
    if (character === '"') {
      const end = endOfString(json, at);
      if (typeof path.at(-1) === 'string' && isKey(json, end)) path[path.length - 1] = json.slice(at, end);
      at = end;
    } else if (character === '-' || (character !== undefined && character >= '0' && character <= '9')) {
      NUMBER.lastIndex = at;
      const [written = character] = NUMBER.exec(json) ?? [];
      if (!isKept(written)) return { path: textOf(path), written: written.slice(0, MAX_SHOWN) };
      at += written.length;
    } else {
      step(path, character);
      at++;
    }
  }
  return null;
}

function step(path: Step[], character: string | undefined): void {
  const last = path.at(-1);
  if (character === '{') path.push('');
  else if (character === '[') path.push(0);
  else if (character === '}' || character === ']') path.pop();
  else if (character === ',' && typeof last === 'number') path[path.length - 1] = last + 1;
}

/** The place after the closing quote. */
function endOfString(json: string, from: number): number {
  for (let at = from + 1; at < json.length; at++) {
    if (json[at] === '\\') at++;
    else if (json[at] === '"') return at + 1;
  }
  return json.length;
}

const AFTER_KEY = /\s*:/y;
function isKey(json: string, end: number): boolean {
  AFTER_KEY.lastIndex = end;
  return AFTER_KEY.test(json);
}

function textOf(path: readonly Step[]): string {
  return path
    .map((each, index) => {
      if (typeof each === 'number') return `[${each}]`;
      const key = String(JSON.parse(each));
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}
