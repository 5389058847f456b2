/** Sees that a program has given its result while its process stays. */
import type { ManagedProcess } from '../process/runner.ts';
import type { Program } from './program.ts';

const LOOK_MS = 1_000;

/** Looks when the output has grown and come to rest, so that a program that prints much is not read again and again. */
export class ResultWatch {
  readonly resulted: Promise<void>;
  readonly #process: ManagedProcess;
  readonly #directory: string;
  readonly #hasResult: Program['hasResult'];
  #resolve = (): void => {};
  #timer: NodeJS.Timeout | undefined;
  #seenBytes = 0;
  #readBytes = 0;

  constructor(process: ManagedProcess, program: Program, directory: string) {
    this.#process = process;
    this.#directory = directory;
    this.#hasResult = program.hasResult?.bind(program);
    this.resulted = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (this.#hasResult) this.#timer = setInterval(() => void this.#look(), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const bytes = this.#process.outputBytes().stdout;
    const isAtRest = bytes === this.#seenBytes;
    this.#seenBytes = bytes;
    if (!isAtRest || bytes === this.#readBytes) return;
    this.#readBytes = bytes;
    const hasResult = await this.#hasResult?.(this.#directory).catch(() => false);
    if (!hasResult) return;
    this.close();
    this.#resolve();
  }
}
