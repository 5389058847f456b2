/** JSON events, one on each line, among anything else: what is no JSON object is counted and left out. */

/** A longer line is left out: no event that counts is as large, and no line may take the memory. */
const LINE_BYTES_MAX = 8 * 1_024 * 1_024;
const LINE_BREAK = 0x0a;
const BRACE = 0x7b;

export class JsonLines {
  /** Lines that were no JSON objects; empty ones do not count. */
  ignored = 0;
  readonly #onEvent: (event: object) => void;
  readonly #decoder = new TextDecoder('utf-8');
  #parts: Buffer[] = [];
  #length = 0;
  #isTooLong = false;

  constructor(onEvent: (event: object) => void) {
    this.#onEvent = onEvent;
  }

  write(piece: Buffer): void {
    let start = 0;
    for (let end = piece.indexOf(LINE_BREAK); end !== -1; end = piece.indexOf(LINE_BREAK, start)) {
      this.#add(piece.subarray(start, end));
      this.#endLine();
      start = end + 1;
    }
    this.#add(piece.subarray(start));
  }

  /** The last line may have no break behind it. */
  end(): void {
    this.#endLine();
  }

  #add(part: Buffer): void {
    if (part.length === 0 || this.#isTooLong) return;
    this.#length += part.length;
    this.#isTooLong = this.#length > LINE_BYTES_MAX;
    if (this.#isTooLong) this.#parts = [];
    else this.#parts.push(part);
  }

  #endLine(): void {
    const event = this.#isTooLong ? null : this.#parse(Buffer.concat(this.#parts));
    if (this.#length > 0 && event === null) this.ignored++;
    this.#parts = [];
    this.#length = 0;
    this.#isTooLong = false;
    if (event) this.#onEvent(event);
  }

  /** undefined for a line of blanks, null for one that is no object. */
  #parse(line: Buffer): object | null | undefined {
    const first = line.findIndex((byte) => byte > 0x20);
    if (first === -1) return undefined;
    return line[first] === BRACE ? objectIn(this.#decoder.decode(line)) : null;
  }
}

/** The JSON object that the text is; null where it is anything else. */
export function objectIn(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
