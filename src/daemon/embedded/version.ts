/** The oldest nats-server that Signalbox is tested with (Debian 12). */
export const OLDEST_SERVER = '2.9.10';

/** The first version without the defects of the 2.9 line, and the first with `sync_interval`. */
export const RECOMMENDED_SERVER = '2.10.0';

/** The version in what `nats-server --version` prints (`nats-server: v2.10.27`), if there is one. */
export function parseServerVersion(output: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+)/.exec(output)?.[1];
}

/** Compares two versions of the form `2.10.27` (`2.10` is `2.10.0`): negative, zero or positive. */
export function compareVersions(a: string, b: string): number {
  const left = numbers(a);
  const right = numbers(b);
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbers(version: string): number[] {
  return version.split('.').map(Number);
}
