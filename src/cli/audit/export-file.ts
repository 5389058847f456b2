/** Writes a bundle. An existing file is complete, or its missing end shows that it is not. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { LogPosition } from '../../features/audit/export-bundle.ts';
import { exportBundle } from '../../features/audit/export-bundle.ts';
import { withTombstones } from '../../journal/redactions.ts';
import { openReader } from '../open-log.ts';
import type { LogOptions } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { progressOn } from '../text/progress.ts';

export interface ExportOptions extends LogOptions {
  readonly project?: string;
  readonly task?: string;
  readonly from?: LogPosition;
  readonly to?: LogPosition;
  readonly output?: string;
}

/** Characters that are buffered before they are written. */
const CHUNK = 65_536;

export async function exportToFile(terminal: Terminal, options: ExportOptions): Promise<void> {
  const { output, project, task, from, to } = options;
  await using log = await openReader(options);
  const request = { project: project ?? (task === undefined ? undefined : 'default'), task, from, to };
  const target = output === undefined ? new OutputTarget() : await FileTarget.create(output);
  // No progress is drawn into a bundle that is printed to the terminal.
  const isSeen = output === undefined && terminal.isInteractive;
  using progress = progressOn(isSeen ? { redraw: null } : terminal, 'wrote');
  try {
    const sink = {
      write: (text: string) => target.write(text),
      progress: (done: number, total: number) => progress.update(done, total),
    };
    const reader = withTombstones(log.reader);
    const manifest = await exportBundle(reader, request, Date.now(), sink);
    await target.close();
    progress.clear();
    const { first, last, events, redacted, omitted } = manifest;
    terminal.note(
      `wrote events ${first} to ${last}: ${events} complete, ${redacted} redacted, ${omitted} as hashes`,
    );
  } catch (error) {
    await target.discard();
    throw error;
  }
}

class FileTarget {
  readonly #path: string;
  readonly #file: FileHandle;
  #buffered = '';

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** @throws SignalboxError `invalid_request` */
  static async create(path: string): Promise<FileTarget> {
    try {
      return new FileTarget(path, await open(path, 'wx', 0o600));
    } catch (cause) {
      throw new SignalboxError('invalid_request', `${path} cannot be written: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  async write(text: string): Promise<void> {
    this.#buffered += text;
    if (this.#buffered.length < CHUNK) return;
    const ready = this.#buffered;
    this.#buffered = '';
    await this.#file.writeFile(ready);
  }

  async close(): Promise<void> {
    await this.#file.writeFile(this.#buffered);
    await this.#file.sync();
    await this.#file.close();
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.#path, { force: true });
  }
}

/** Standard output with backpressure. */
class OutputTarget {
  async write(text: string): Promise<void> {
    const { stdout } = process;
    if (stdout.write(text)) return;
    await new Promise<void>((resolve) => {
      stdout.once('drain', resolve);
      void finished(stdout).then(resolve, resolve);
    });
  }

  async close(): Promise<void> {}

  async discard(): Promise<void> {}
}
