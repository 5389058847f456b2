/** Ctrl-C and SIGTERM, counted: whoever asks again is in a hurry. */

export interface Interruptions {
  isInterrupted(): boolean;
  /** Stops listening. */
  close(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** @param onEach told of each signal with its number, 1 for the first */
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
