import type { Logger } from 'pino';
import type { OutputBytes } from '../runner.ts';
import type { AttemptDirectory } from './attempt-directory.ts';
import { OutputFile } from './output-file.ts';

/** Standard output and standard error of one process. Looks at the files never overlap. */
export class OutputFiles {
  readonly #stdout: OutputFile;
  readonly #stderr: OutputFile;
  readonly #log: Logger;
  #last: Promise<void> = Promise.resolve();

  constructor(directory: AttemptDirectory, maxBytes: number, log: Logger) {
    this.#log = log;
    this.#stdout = new OutputFile(directory.stdout, maxBytes, log);
    this.#stderr = new OutputFile(directory.stderr, maxBytes, log);
  }

  bytes(): OutputBytes {
    const lastOutputAt = Math.max(this.#stdout.lastOutputAt ?? 0, this.#stderr.lastOutputAt ?? 0);
    const bytes = { stdout: this.#stdout.bytes, stderr: this.#stderr.bytes };
    return lastOutputAt === 0 ? bytes : { ...bytes, lastOutputAt };
  }

  /** Never rejects: what cannot be read or rotated now is logged, and tried again at the next look. */
  look(): Promise<void> {
    return this.#next((file) => file.look());
  }

  /** Never rejects, as the end of a process must be reported whatever became of its output. */
  close(): Promise<void> {
    return this.#next((file) => file.close());
  }

  #next(work: (file: OutputFile) => Promise<void>): Promise<void> {
    this.#last = this.#last.then(async () => {
      for (const file of [this.#stdout, this.#stderr]) {
        await work(file).catch((error: unknown) => {
          this.#log.warn({ err: error, file: file.path }, 'an output file cannot be kept below its cap');
        });
      }
    });
    return this.#last;
  }
}
