/** Counts SIGINT (Ctrl-C) and SIGTERM: a command stops sooner on the second one. */

export interface Interruptions {
  isInterrupted(): boolean;
  /** Stops listening. */
  close(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** @param onEach called for each signal with its number, starting at 1 */
export function listenForInterruptions(onEach: (count: number, signal: string) => void): Interruptions {
  let count = 0;
  const listener = (signal: NodeJS.Signals): void => {
    count += 1;
    onEach(count, signal);
  };
  for (const name of SIGNALS) process.on(name, listener);
  return {
    isInterrupted: () => count > 0,
    close: () => {
      for (const name of SIGNALS) process.off(name, listener);
    },
  };
}
