export type BackoffOptions = Readonly<{
  firstMs: number;
  maxMs: number;
  /** A run of at least this long was a good one: what follows it starts from `firstMs` again. */
  resetAfterMs: number;
}>;

/** The pauses before successive restarts: each twice the one before. */
export class Backoff {
  readonly #options: BackoffOptions;
  #nextMs: number;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#nextMs = options.firstMs;
  }

  /** Milliseconds to wait after a run that was up for `uptimeMs` (0 when it never came up). */
  pauseMs(uptimeMs: number): number {
    const { firstMs, maxMs, resetAfterMs } = this.#options;
    const pause = uptimeMs >= resetAfterMs ? firstMs : this.#nextMs;
    this.#nextMs = Math.min(maxMs, pause * 2);
    return pause;
  }
}
