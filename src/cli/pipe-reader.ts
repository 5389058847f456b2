/**
 * Whether a pipe that this process writes to still has a reader. A write would tell, but there may be nothing to write yet.
 * Linux shows which process holds which end of a pipe, of this user's processes at least. Elsewhere, it is not known.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const ACCESS_MODE = 0o3;
const READ_ONLY = 0;

export class PipeReader {
  /** As `pipe:[123]`; null for a file, a socket or a terminal. */
  readonly #pipe: string | null;
  /** As `/proc/123/fd/4`: where the read end was found last. */
  #place: string | null = null;

  constructor(fd: number) {
    const target = linkOf(`/proc/self/fd/${fd}`);
    this.#pipe = target?.startsWith('pipe:') ? target : null;
    this.#place = this.#find();
  }

  /** Whether it had a reader, and has none any more. Takes microseconds as long as the reader is the same. */
  isGone(): boolean {
    if (this.#place === null) return false;
    if (this.#reads(this.#place)) return false;
    this.#place = this.#find() ?? this.#place;
    return !this.#reads(this.#place);
  }

  #find(): string | null {
    if (this.#pipe === null) return null;
    for (const pid of namesIn('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      for (const fd of namesIn(`/proc/${pid}/fd`)) {
        const place = `/proc/${pid}/fd/${fd}`;
        if (this.#reads(place)) return place;
      }
    }
    return null;
  }

  #reads(place: string): boolean {
    if (linkOf(place) !== this.#pipe) return false;
    try {
      const [, flags = ''] =
        /^flags:\s*([0-7]+)/m.exec(readFileSync(place.replace('/fd/', '/fdinfo/'), 'utf8')) ?? [];
      return (Number.parseInt(flags, 8) & ACCESS_MODE) === READ_ONLY;
    } catch {
      return false;
    }
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Of another user, or over.
    return [];
  }
}
