/** The lines of the recorded output of a process, from any place forwards or backwards, in bounded memory. */
import type { OutputPart, RecordedOutput } from './recorded-output.ts';

/** A line, or what is missing between two lines. */
export type RecordedLine =
  | {
      readonly kind: 'line';
      /** The places of its first byte, and behind its line break. */
      readonly from: number;
      readonly to: number;
      /** Without its line break. Of a line that is too long, only the beginning. */
      readonly bytes: Buffer;
      readonly isWhole: boolean;
    }
  /** What is not kept, and the line that is cut by its end. */
  | { readonly kind: 'gap'; readonly from: number; readonly to: number; readonly missing: number };

export interface LineRange {
  /** A place inside a line means the next one. */
  readonly from: number;
  /** Lines that begin at this place or later are left out. */
  readonly before?: number;
  /** Whether the output is complete: then its last line needs no line break. */
  readonly isOver: boolean;
}

/** Of a longer line only the beginning is read. A parser takes some 30 ms for so much. */
export const MAX_LINE_BYTES = 4 * 1_024 * 1_024;
/** What is kept of one that is longer. */
const BEGINNING_BYTES = 16 * 1_024;
const PIECE_BYTES = 64 * 1_024;
const LINE_BREAK = 0x0a;

/** The lines from a place on. A line without an end is not among them, unless the output is complete. */
export async function* linesFrom(
  output: RecordedOutput,
  { from, before = Number.POSITIVE_INFINITY, isOver }: LineRange,
): AsyncIterable<RecordedLine> {
  let known = 0;
  for (const [index, part] of output.parts.entries()) {
    const isLast = index === output.parts.length - 1;
    const begin = Math.max(from, part.from);
    if (from < part.to && begin < before) {
      const first = await firstLineFrom(output, begin, part);
      const missing = part.from - known;
      if (begin === part.from && missing > 0) yield { kind: 'gap', from: begin, to: first, missing };
      yield* linesIn(output, { from: first, to: part.to, before, isOver: isOver && isLast });
    }
    known = part.to;
  }
}

/** The first place from here on where a line begins; the end of the part if there is none. */
async function firstLineFrom(output: RecordedOutput, place: number, part: OutputPart): Promise<number> {
  if (place === 0) return 0;
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  // A line begins behind a line break. At the beginning of a part, the byte before is not kept.
  let at = place > part.from ? place - 1 : place;
  while (at < part.to) {
    const length = await output.read(at, buffer);
    if (length === 0) break;
    const found = buffer.subarray(0, length).indexOf(LINE_BREAK);
    if (found !== -1) return at + found + 1;
    at += length;
  }
  return part.to;
}

interface PartRange {
  readonly from: number;
  readonly to: number;
  readonly before: number;
  readonly isOver: boolean;
}

async function* linesIn(
  output: RecordedOutput,
  { from, to, before, isOver }: PartRange,
): AsyncIterable<RecordedLine> {
  let line = new LineBuffer(from);
  for (let at = from; at < to && line.from < before; ) {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const length = await output.read(at, piece);
    if (length === 0) return;
    const read = piece.subarray(0, Math.min(length, to - at));
    let start = 0;
    for (let end = read.indexOf(LINE_BREAK); end !== -1; end = read.indexOf(LINE_BREAK, start)) {
      line.add(read.subarray(start, end));
      start = end + 1;
      yield line.ended(at + start);
      line = new LineBuffer(at + start);
      if (line.from >= before) return;
    }
    line.add(read.subarray(start));
    at += read.length;
  }
  if (isOver && line.length > 0) yield line.ended(to);
}

class LineBuffer {
  readonly from: number;
  length = 0;
  #pieces: Buffer[] = [];

  constructor(from: number) {
    this.from = from;
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return;
    this.length += piece.length;
    if (this.length <= MAX_LINE_BYTES) this.#pieces.push(piece);
    else this.#pieces = [Buffer.from(this.#bytes().subarray(0, BEGINNING_BYTES))];
  }

  ended(to: number): RecordedLine {
    return {
      kind: 'line',
      from: this.from,
      to,
      bytes: this.#bytes(),
      isWhole: this.length <= MAX_LINE_BYTES,
    };
  }

  #bytes(): Buffer {
    const [only = Buffer.alloc(0), ...more] = this.#pieces;
    return more.length === 0 ? only : Buffer.concat(this.#pieces);
  }
}

/**
 * Where to begin, so that up to `count` lines lie between there and `before`: fewer if they have more than `maxBytes`, but at
 * least one, if there is one.
 */
export async function placeBefore(
  output: RecordedOutput,
  { before, count, maxBytes }: { readonly before: number; readonly count: number; readonly maxBytes: number },
): Promise<number> {
  const part = output.parts.findLast(({ from }) => from < before);
  if (part === undefined) return 0;
  const end = Math.min(before, part.to);
  let place = end;
  let lines = 0;
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (let to = end - 1; to > part.from; ) {
    const from = Math.max(part.from, to - PIECE_BYTES);
    const length = await readFully(output, from, buffer.subarray(0, to - from));
    for (let found = breakBefore(buffer, length); found !== -1; found = breakBefore(buffer, found)) {
      if (end - (from + found + 1) > maxBytes && lines > 0) return place;
      place = from + found + 1;
      lines += 1;
      if (lines >= count) return place;
    }
    to = from;
  }
  return end - part.from > maxBytes && lines > 0 ? place : part.from;
}

/** Whether a line ends at this place or later. It may begin before. */
export async function hasLineEnd(output: RecordedOutput, from: number): Promise<boolean> {
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (const part of output.parts) {
    for (let at = Math.max(from, part.from); at < part.to; ) {
      const length = await output.read(at, buffer);
      if (length === 0) break;
      if (buffer.subarray(0, length).includes(LINE_BREAK)) return true;
      at += length;
    }
  }
  return false;
}

/** The last line break before this index; -1 if there is none. */
function breakBefore(buffer: Buffer, index: number): number {
  return index <= 0 ? -1 : buffer.lastIndexOf(LINE_BREAK, index - 1);
}

/** A part may be in two files. */
async function readFully(output: RecordedOutput, place: number, buffer: Buffer): Promise<number> {
  let length = 0;
  for (let read = 1; read > 0 && length < buffer.length; length += read) {
    read = await output.read(place + length, buffer.subarray(length));
  }
  return length;
}
