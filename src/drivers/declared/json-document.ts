/** One JSON document, which may have lines of a log before and after it. */
import { objectIn } from './json-lines.ts';

/** The end of the output that is looked through: a document that is larger is none that a program would answer with. */
const DOCUMENT_BYTES_MAX = 4 * 1_024 * 1_024;
/** Lines with which the document could begin that are tried. */
const BEGINNINGS_MAX = 32;

export class JsonDocument {
  #parts: Buffer[] = [];
  #length = 0;

  write(piece: Buffer): void {
    this.#parts.push(piece);
    this.#length += piece.length;
    if (this.#length > 2 * DOCUMENT_BYTES_MAX) this.#shorten();
  }

  /** The document; null where there is none, or only a part of one. */
  end(): object | null {
    this.#shorten();
    const text = new TextDecoder('utf-8').decode(this.#parts[0] ?? Buffer.alloc(0)).trim();
    return documentIn(text);
  }

  #shorten(): void {
    const all = Buffer.concat(this.#parts);
    this.#parts = [all.subarray(Math.max(0, all.length - DOCUMENT_BYTES_MAX))];
    this.#length = this.#parts[0]?.length ?? 0;
  }
}

/**
 * The last document wins, since a log stands before the answer. Where the braces of a printed document stand at the
 * beginning of lines, only those can begin it.
 */
function documentIn(text: string): object | null {
  const whole = objectIn(text);
  if (whole) return whole;
  const beginnings = [...text.matchAll(/^\{/gm)].map(({ index }) => index).slice(-BEGINNINGS_MAX);
  for (const start of beginnings.toReversed()) {
    const rest = text.slice(start);
    const found = objectIn(rest) ?? objectIn(firstLine(rest)) ?? objectIn(toLastBrace(rest));
    if (found) return found;
  }
  return null;
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end === -1 ? text : text.slice(0, end);
}

function toLastBrace(text: string): string {
  const end = text.lastIndexOf('\n}');
  return end === -1 ? '' : text.slice(0, end + 2);
}
