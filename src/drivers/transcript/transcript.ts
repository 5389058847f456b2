/** The transcript of an attempt, as it follows from the recorded output of its process and from nothing else. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { cutText } from '../../base/text/cut-text.ts';
import { unreachable } from '../../contracts/errors.ts';
import type {
  TranscriptContent,
  TranscriptEntry,
  TranscriptFormat,
  TranscriptProof,
} from '../../contracts/transcript/schemas.ts';
import type { RecordedLine } from '../../process/files/recorded-lines.ts';
import { RecordedOutput } from '../../process/files/recorded-output.ts';
import { readAcp } from './acp.ts';
import { readClaude } from './claude.ts';
import { readCodex } from './codex.ts';
import { formatOf } from './format-file.ts';
import { readGemini } from './gemini.ts';
import { readOpencode } from './opencode.ts';
import { NOTHING, type TranscriptReader } from './reader.ts';

export type CallContent = Extract<TranscriptContent, { kind: 'tool_call' }>;

/** Null: every line is shown as it is. */
const READERS: Readonly<Record<TranscriptFormat, TranscriptReader | null>> = {
  text: null,
  acp: readAcp,
  claude: readClaude,
  codex: readCodex,
  gemini: readGemini,
  opencode: readOpencode,
};

/** Characters of a line that is shown as it is. */
const MAX_RAW = 10_000;
const PIECE_BYTES = 64 * 1_024;
const LINE_BREAK = 0x0a;

/** @param directory of the attempt. @param below a directory that it has to be in. @throws errors of the system */
export function openRecorded(directory: string, below?: string): Promise<RecordedOutput> {
  return RecordedOutput.open(recordedOutputOf(directory), below);
}

/** Where the process of an attempt records its standard output. @param directory of the attempt */
export function recordedOutputOf(directory: string): string {
  return join(directory, 'process', 'stdout.log');
}

/** The entries that a line is: several, one, or none. */
export function entriesOf(format: TranscriptFormat, line: RecordedLine): TranscriptEntry[] {
  switch (line.kind) {
    case 'gap':
      return [{ kind: 'gap', id: `${line.from}.gap`, bytes: line.missing }];
    case 'line':
      return contentsOf(format, line).map((content, index) => ({ ...content, id: `${line.from}.${index}` }));
    default:
      return unreachable(line, 'entriesOf');
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function contentsOf(
  format: TranscriptFormat,
  { bytes, isWhole, from, to }: Extract<RecordedLine, { kind: 'line' }>,
): readonly TranscriptContent[] {
  const decoded = decoder.decode(bytes);
  const text = (decoded.includes('\u001b') ? stripVTControlCharacters(decoded) : decoded).replace(/\r$/, '');
  const reader = READERS[format];
  if (reader !== null && text.trim() === '') return NOTHING;
  const event = reader !== null && isWhole ? objectIn(text) : null;
  const read = event === null ? null : (reader?.(event) ?? null);
  if (read !== null) return read;
  const shown = cutText(text, MAX_RAW);
  // Of a line that is too long only its beginning is known, and its size.
  const cut = isWhole ? text.length - shown.length : to - from - shown.length;
  return [{ kind: 'raw', text: shown, ...(cut > 0 && { cut }) }];
}

function objectIn(text: string): object | null {
  if (!text.trimStart().startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/**
 * What proves the transcript of an attempt that has ended; null if its process has printed nothing.
 * @param directory of the attempt. @throws errors of the system
 */
export async function proofOf(directory: string, below?: string): Promise<TranscriptProof | null> {
  const output = await openRecorded(directory, below);
  return provedBy(output, formatOf(directory)).finally(() => output.close());
}

/** The same for an output that is open. */
export async function provedBy(
  output: RecordedOutput,
  format: TranscriptFormat,
): Promise<TranscriptProof | null> {
  if (output.end === 0) return null;
  const counted = new Counted();
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (const { from, to } of output.parts) {
    for (let at = from; at < to; ) {
      const length = await output.read(at, buffer);
      if (length === 0) break;
      counted.add(buffer.subarray(0, length));
      at += length;
    }
    counted.endPart();
  }
  const { bytes, lines } = counted;
  const dropped_bytes = output.end - bytes;
  return { format, sha256: counted.sha256(), bytes, dropped_bytes, lines };
}

class Counted {
  bytes = 0;
  lines = 0;
  readonly #hash = createHash('sha256');
  #isLineOpen = false;

  add(piece: Buffer): void {
    this.#hash.update(piece);
    this.bytes += piece.length;
    for (let at = piece.indexOf(LINE_BREAK); at !== -1; at = piece.indexOf(LINE_BREAK, at + 1)) this.lines++;
    this.#isLineOpen = piece.at(-1) !== LINE_BREAK;
  }

  /** A last line without a line break is a line, too. */
  endPart(): void {
    if (this.#isLineOpen) this.lines++;
    this.#isLineOpen = false;
  }

  sha256(): string {
    return this.#hash.digest('hex');
  }
}
