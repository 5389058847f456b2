/**
 * The recorded standard output of a process, by the place of each byte in all that it has printed.
 *
 * While a process prints more than is kept, its output is moved from file to file (launcher.sh): what is left is its beginning
 * and its newest part. The place of a byte stays the same, whichever file it is in, also while it is read. Everything here may be
 * written by the process itself: nothing waits, and no more is read than asked for.
 */
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotRegularError, type Opening, openRegular, statRegularSync } from '../../base/regular-files.ts';
import { isOpenAs } from './open-file.ts';
import { rotatedBytes } from './rotated-bytes.ts';

/** A part without a gap. */
export interface OutputPart {
  readonly from: number;
  readonly to: number;
}

interface Segment extends OutputPart {
  readonly file: FileHandle;
}

/** While a file is being moved, another look helps; a process may exchange files without an end. */
const MAX_LOOKS = 5;
const PAUSE_MS = 3;

export class RecordedOutput {
  readonly #segments: readonly Segment[];
  /** Parts that are next to each other are one. */
  readonly parts: readonly OutputPart[];

  private constructor(segments: readonly Segment[]) {
    this.#segments = segments.filter(({ from, to }) => to > from);
    this.parts = joined(this.#segments);
  }

  /**
   * @param path of the file, which may be missing
   * @param below a directory that the file has to be in, whatever was swapped on the way to it
   * @throws errors of the system
   */
  static async open(path: string, below?: string): Promise<RecordedOutput> {
    const opened = (name: string): Promise<FileHandle | null> => openOrNull(name, { below });
    for (let looks = 1; ; looks++) {
      const rotated = rotatedBytes(path);
      const file = await opened(path);
      if (file === null && rotated === undefined) return new RecordedOutput([]);
      const older = await opened(`${path}.1`);
      const now = statRegularSync(path);
      const isSettled = rotated === rotatedBytes(path) && now !== undefined && isOpenAs(file, now);
      if (isSettled || looks === MAX_LOOKS) {
        const head = await opened(`${path}.head`);
        return new RecordedOutput(await segmentsOf({ head, older, file }, rotated));
      }
      await file?.close();
      await older?.close();
      await sleep(PAUSE_MS);
    }
  }

  /** The place behind the last byte. */
  get end(): number {
    return this.parts.at(-1)?.to ?? 0;
  }

  /** Reads from a place on, up to the end of the file that has it. @returns how many bytes; 0 if none is kept there */
  async read(place: number, buffer: Buffer): Promise<number> {
    const segment = this.#segments.find(({ from, to }) => place >= from && place < to);
    if (segment === undefined) return 0;
    const length = Math.min(buffer.length, segment.to - place);
    return (await segment.file.read(buffer, 0, length, place - segment.from)).bytesRead;
  }

  async close(): Promise<void> {
    await Promise.all(this.#segments.map(({ file }) => file.close()));
  }
}

/** How many bytes a process has printed so far, for someone who waits for more. */
export function printedBytes(path: string): number {
  return (rotatedBytes(path) ?? 0) + (statRegularSync(path)?.size ?? 0);
}

interface Files {
  readonly head: FileHandle | null;
  readonly older: FileHandle | null;
  readonly file: FileHandle | null;
}

async function segmentsOf({ head, older, file }: Files, rotated: number | undefined): Promise<Segment[]> {
  const sizes = await Promise.all([head, older, file].map(async (each) => (await each?.stat())?.size ?? 0));
  const [headSize = 0, olderSize = 0, size = 0] = sizes;
  // Without a count, what was dropped behind the beginning is not known: at least one byte.
  const begin = rotated ?? (head === null ? 0 : headSize + olderSize + 1);
  const olderBegin = Math.max(0, begin - olderSize);
  const segments = [
    { file: head, from: 0, to: Math.min(headSize, olderBegin) },
    { file: older, from: olderBegin, to: begin },
    { file, from: begin, to: begin + size },
  ];
  const kept: Segment[] = [];
  for (const { file: each, from, to } of segments) {
    if (each === null) continue;
    if (to > from) kept.push({ file: each, from, to });
    else await each.close();
  }
  return kept;
}

/** What is no regular file any more reads as empty. */
async function openOrNull(path: string, opening: Opening): Promise<FileHandle | null> {
  try {
    return await openRegular(path, opening);
  } catch (error) {
    if (error instanceof NotRegularError) return null;
    throw error;
  }
}

function joined(segments: readonly OutputPart[]): OutputPart[] {
  const parts: OutputPart[] = [];
  for (const { from, to } of segments) {
    const last = parts.at(-1);
    if (last?.to === from) parts[parts.length - 1] = { from: last.from, to };
    else parts.push({ from, to });
  }
  return parts;
}
