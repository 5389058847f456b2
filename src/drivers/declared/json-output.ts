/**
 * JSON in the output of a program, and the output itself: read in pieces, with memory for one line or one document,
 * however much is printed.
 */
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { NotRegularError, piecesOf, statRegularSync } from '../../base/regular-files.ts';

/** No file is read beyond this, whatever a process has put in the place of its output. */
const MAX_FILE_BYTES = 256 * 1_024 * 1_024;
/** The largest document, and the largest line with an event, that is read. No such text can take all memory. */
export const MAX_JSON_BYTES = 16 * 1_024 * 1_024;
const NEW_LINE = Buffer.from('\n');

/**
 * The standard output that is left of a process (see output-files.ts), from its beginning: if the file was rotated, its
 * first bytes and then the newest part, with a line break between them, so that no two lines become one.
 * @param gap stands for the part that is missing
 */
export async function* stdoutOf(directory: string, gap: Buffer = NEW_LINE): AsyncIterable<Buffer> {
  const file = join(directory, 'stdout.log');
  if (statRegularSync(`${file}.head`) !== undefined) {
    yield* partOf(`${file}.head`);
    yield gap;
    yield* partOf(`${file}.1`);
  }
  yield* partOf(file);
}

/** What is no regular file any more reads as empty. */
async function* partOf(file: string): AsyncIterable<Buffer> {
  try {
    yield* piecesOf(file, MAX_FILE_BYTES);
  } catch (error) {
    if (!(error instanceof NotRegularError)) throw error;
  }
}

/**
 * The end of a stream: at least the last `maxBytes`, at most twice as many. Its buffer is reused: copies of the end for
 * every few pieces would be garbage that takes many times the memory until it is collected.
 */
export class TailBuffer {
  readonly #maxBytes: number;
  #buffer = Buffer.alloc(0);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  write(piece: Buffer): void {
    const limit = 2 * this.#maxBytes;
    const added = piece.length > limit ? piece.subarray(piece.length - limit) : piece;
    if (this.#length + added.length > limit) {
      const kept = Math.min(this.#maxBytes, limit - added.length);
      this.#buffer.copyWithin(0, this.#length - kept, this.#length);
      this.#length = kept;
    }
    this.#reserve(this.#length + added.length, limit);
    added.copy(this.#buffer, this.#length);
    this.#length += added.length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** The last `maxBytes`, valid until the next write. */
  get tail(): Buffer {
    return this.#buffer.subarray(Math.max(0, this.#length - this.#maxBytes), this.#length);
  }

  #reserve(bytes: number, limit: number): void {
    if (bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(bytes, 2 * this.#buffer.length)));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** A document is looked for in this much of the end of the output. */
const MAX_DOCUMENT_BYTES = MAX_JSON_BYTES;
/** How many lines are tried as the beginning of the document. */
const MAX_BEGINNINGS = 32;
/** A part of a large document takes a tenth of a second, and a program can print one that every line seems to begin. */
const MAX_PARSED_CHARACTERS = 2 * MAX_DOCUMENT_BYTES;

/** One JSON document, which may have lines of a log before and after it. */
export class JsonDocument {
  readonly #end = new TailBuffer(MAX_DOCUMENT_BYTES);

  write(piece: Buffer): void {
    this.#end.write(piece);
  }

  /** The document; null if there is none, or only a part of one. */
  end(): object | null {
    return documentIn(withoutControls(new TextDecoder('utf-8').decode(this.#end.tail)).trim());
  }
}

/**
 * The last document counts, since a log is printed before the answer. If the document is printed over several lines, only
 * braces at the beginning of a line can begin it.
 */
function documentIn(text: string): object | null {
  const whole = objectIn(text);
  if (whole) return whole;
  let left = MAX_PARSED_CHARACTERS;
  const parsed = (part: string): object | null => {
    left -= part.length;
    return left < 0 ? null : objectIn(part);
  };
  let start = text.length;
  for (let tried = 0; tried < MAX_BEGINNINGS && start > 0 && left > 0; tried++) {
    start = beginningBefore(text, start);
    if (start === -1) break;
    const rest = text.slice(start);
    const found = parsed(firstLine(rest)) ?? parsed(rest) ?? parsed(toLastBrace(rest));
    if (found) return found;
  }
  return null;
}

/** The last line before this place that begins with a brace; -1 if there is none. */
function beginningBefore(text: string, place: number): number {
  const found = text.lastIndexOf('\n{', place - 2);
  if (found !== -1 && place >= 2) return found + 1;
  return text.startsWith('{') ? 0 : -1;
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end === -1 ? text : text.slice(0, end);
}

function toLastBrace(text: string): string {
  const end = text.lastIndexOf('\n}');
  return end === -1 ? '' : text.slice(0, end + 2);
}

const LINE_BREAK = 0x0a;
const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const QUOTE = 0x22;
const ESCAPE = 0x1b;
/** The parser takes 20 µs to refuse a line, whatever its length: so of one piece, no more than these lines may be refused. */
const MAX_REFUSED = 1_000;

/** JSON events, one on each line. Lines that are not JSON objects are counted and left out. */
export class JsonLines {
  /** Lines that were not JSON objects; empty ones do not count. */
  ignored = 0;
  /** Lines that were too long to be read. */
  tooLong = 0;
  readonly #onEvent: (event: object) => void;
  readonly #decoder = new TextDecoder('utf-8');
  /** The beginning of a line whose end is in a later piece. */
  readonly #begun = new TailBuffer(MAX_JSON_BYTES);
  #length = 0;
  /** Of the piece that is being read. */
  #refused = 0;

  constructor(onEvent: (event: object) => void) {
    this.#onEvent = onEvent;
  }

  write(piece: Buffer): void {
    this.#refused = 0;
    let start = 0;
    for (let end = piece.indexOf(LINE_BREAK); end !== -1; end = piece.indexOf(LINE_BREAK, start)) {
      this.#endLine(piece.subarray(start, end));
      start = end + 1;
    }
    this.#begin(piece.subarray(start));
  }

  /** Reads the last line, which may have no line break at its end. */
  end(): void {
    this.#endLine(Buffer.alloc(0));
  }

  #begin(part: Buffer): void {
    this.#length += part.length;
    if (part.length > 0 && this.#length <= MAX_JSON_BYTES) this.#begun.write(part);
  }

  #endLine(rest: Buffer): void {
    const isWhole = this.#length === 0;
    if (isWhole) this.#length = rest.length;
    else this.#begin(rest);
    const isTooLong = this.#length > MAX_JSON_BYTES;
    if (isTooLong) this.tooLong++;
    const event = isTooLong ? null : this.#parse(isWhole ? rest : this.#begun.tail);
    if (this.#length > 0 && event === null) this.ignored++;
    this.#begun.clear();
    this.#length = 0;
    if (event) this.#onEvent(event);
  }

  /** Undefined for a line of blanks, null for one that is not an object. */
  #parse(line: Buffer): object | null | undefined {
    const first = line.findIndex((byte) => byte > 0x20 || byte === ESCAPE);
    if (first === -1) return undefined;
    if (!mayBeObject(line, first) || this.#refused >= MAX_REFUSED) return null;
    const text = withoutControls(this.#decoder.decode(line)).trimStart();
    const event = text.startsWith('{') ? objectIn(text) : null;
    if (event === null) this.#refused++;
    return event;
  }
}

/** By its first and last bytes, which is all that most other lines need. */
function mayBeObject(line: Buffer, first: number): boolean {
  if (line[first] === ESCAPE) return true;
  const second = line.subarray(first + 1).find((byte) => byte > 0x20);
  const last = line.findLast((byte) => byte > 0x20);
  const isOpened =
    line[first] === BRACE && (second === QUOTE || second === CLOSING_BRACE || second === ESCAPE);
  return isOpened && (last === CLOSING_BRACE || line.includes(ESCAPE));
}

/** Without colours and other control sequences of a terminal, which JSON never holds as they are. */
function withoutControls(text: string): string {
  return text.includes('\u001b') ? stripVTControlCharacters(text) : text;
}

/** The JSON object that the text is; null if it is anything else. */
function objectIn(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
