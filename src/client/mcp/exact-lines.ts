/**
 * Standard input of an MCP server, line by line: a message in which something would be lost is answered with an error, and
 * does not reach the library, which reads JSON with `JSON.parse` (see exact-json.ts).
 */
import { Transform, type TransformCallback, type Writable } from 'node:stream';
import { faultInJson, faultText, type JsonFault } from '../../base/exact-json.ts';
import { utf8Text } from '../../base/text/utf8.ts';

/** The library ends the connection for a longer line. */
const MAX_LINE_BYTES = 10 * 1_024 * 1_024;
const NEW_LINE = 0x0a;
const INVALID_REQUEST = -32_600;

export class ExactLines extends Transform {
  readonly #answers: Writable;
  /** The beginning of a line whose end has not come yet. */
  #begun: Buffer[] = [];
  #bytes = 0;

  /** @param answers takes the errors */
  constructor(answers: Writable) {
    super();
    this.#answers = answers;
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let start = 0;
    for (let end = piece.indexOf(NEW_LINE); end !== -1; end = piece.indexOf(NEW_LINE, start)) {
      this.#begun.push(piece.subarray(start, end + 1));
      this.#endLine();
      start = end + 1;
    }
    if (start < piece.length) this.#begin(piece.subarray(start));
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#endLine();
    done();
  }

  #begin(part: Buffer): void {
    this.#begun.push(part);
    this.#bytes += part.length;
    if (this.#bytes > MAX_LINE_BYTES) this.#pass();
  }

  #endLine(): void {
    const line = Buffer.concat(this.#begun);
    const fault = faultIn(line);
    if (fault === null) return this.#pass();
    this.#begun = [];
    this.#bytes = 0;
    const error = { code: INVALID_REQUEST, message: fault.message };
    this.#answers.write(`${JSON.stringify({ jsonrpc: '2.0', id: fault.id, error })}\n`);
  }

  #pass(): void {
    for (const part of this.#begun) this.push(part);
    this.#begun = [];
    this.#bytes = 0;
  }
}

interface Refusal {
  /** Of the request. */
  readonly id: string | number | null;
  readonly message: string;
}

/** null for a line that is accepted, and for one that the library refuses itself. */
function faultIn(line: Buffer): Refusal | null {
  const text = utf8Text(line);
  if (text === null) return { id: null, message: 'the message is not UTF-8' };
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  const fault: JsonFault | null = faultInJson(text);
  return fault && { id: idOf(message), message: faultText(fault) };
}

function idOf(message: unknown): string | number | null {
  if (typeof message !== 'object' || message === null || !('id' in message)) return null;
  const { id } = message;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}
