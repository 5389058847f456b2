import type { Logger } from 'pino';
import type { AttemptDirectory } from './attempt-directory.ts';
import { OutputFile } from './output-file.ts';
import type { OutputBytes } from './runner.ts';

/** Standard output and standard error of one process. Looks at the files never overlap. */
export class OutputFiles {
  readonly #stdout: OutputFile;
  readonly #stderr: OutputFile;
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: AttemptDirectory, maxBytes: number, log: Logger) {
    this.#stdout = new OutputFile(directory.stdout, maxBytes, log);
    this.#stderr = new OutputFile(directory.stderr, maxBytes, log);
  }

  bytes(): OutputBytes {
    const lastOutputAt = Math.max(this.#stdout.lastOutputAt ?? 0, this.#stderr.lastOutputAt ?? 0);
    const bytes = { stdout: this.#stdout.bytes, stderr: this.#stderr.bytes };
    return lastOutputAt === 0 ? bytes : { ...bytes, lastOutputAt };
  }

  look(): Promise<void> {
    return this.#next((file) => file.look());
  }

  close(): Promise<void> {
    return this.#next((file) => file.close());
  }

  #next(work: (file: OutputFile) => Promise<void>): Promise<void> {
    const done = this.#last.then(async () => {
      await Promise.all([work(this.#stdout), work(this.#stderr)]);
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}
