/** Notices that nothing waits for the result of this process any more. */
import { EXIT_CODES } from './exit-codes.ts';
import { PipeReader } from './pipe-reader.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Cause = (typeof SIGNALS)[number] | 'reader gone';

/** How often standard output is looked at. */
const LOOK_MS = 1_000;
const STDOUT = 1;

export interface Abandoned extends Disposable {
  /** Resolves when the process is asked to end by a signal, or when its standard output is a pipe that lost its reader. */
  readonly cause: Promise<Cause>;
  /** Ends the process as if nothing had listened. */
  end(cause: Cause): never;
}

/** Listens until it is disposed. A second signal ends the process at once. */
export function whenAbandoned(): Abandoned {
  let stop = (): void => {};
  const cause = new Promise<Cause>((resolve) => {
    const tell = (given: Cause): void => {
      stop();
      resolve(given);
    };
    const reader = new PipeReader(STDOUT);
    const looking = setInterval(() => {
      if (reader.isGone()) tell('reader gone');
    }, LOOK_MS).unref();
    for (const signal of SIGNALS) process.on(signal, tell);
    stop = () => {
      clearInterval(looking);
      for (const signal of SIGNALS) process.off(signal, tell);
    };
  });
  return {
    cause,
    end: (given) => {
      if (given !== 'reader gone') process.kill(process.pid, given);
      process.exit(EXIT_CODES.failure.code);
    },
    [Symbol.dispose]: () => stop(),
  };
}
