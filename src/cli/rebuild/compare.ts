/**
 * A rebuilt state against a live one that goes on meanwhile.
 *
 * LC1 Each page of what is live says the sequence at which it was true; the rebuild goes on to that very event before
 *     the page is compared. So no event that comes in between is taken for a difference, or hides one.
 */
import type { SignalboxClient } from '../../client/client.ts';
import type { StateAnswer } from '../../contracts/answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { type Entry, entriesOf } from '../../replay/entries.ts';
import type { Replay } from '../../replay/replay.ts';

export interface Difference {
  readonly part: string;
  /** `project/task`, or the id of an agent. */
  readonly key: string;
  /** Where both were compared. */
  readonly sequence: number;
  /** Hashes; null where there is no such entry. */
  readonly live: string | null;
  readonly rebuilt: string | null;
}

export interface Comparison {
  readonly entries: number;
  readonly differences: readonly Difference[];
}

/**
 * @param replay at its beginning; goes on as far as the live state does
 * @param writer the writer that the rebuilt log names
 * @throws SignalboxError `unreachable` where nobody answers, `log_mismatch` for a Signalbox on another log, and what a
 *   replay throws
 */
export async function compareWithLive(
  client: SignalboxClient,
  replay: Replay,
  writer: () => string,
): Promise<Comparison> {
  const differences = new Map<string, Difference>();
  let entries = 0;
  for (let offset: number | null = 0; offset !== null; ) {
    const page: StateAnswer = await client.state({ offset });
    await reach(replay, page.sequence);
    if (page.writer !== writer()) throw otherLog(page.writer, writer());
    const limit = page.next === null ? Number.POSITIVE_INFINITY : page.entries.length;
    const rebuilt = entriesOf(replay.projections, offset, limit).entries;
    for (const each of differencesOf(page, rebuilt)) differences.set(`${each.part} ${each.key}`, each);
    entries += Math.max(page.entries.length, rebuilt.length);
    offset = page.next;
  }
  return { entries, differences: [...differences.values()] };
}

async function reach(replay: Replay, sequence: number): Promise<void> {
  try {
    await replay.advance({ kind: 'sequence', sequence });
  } catch (cause) {
    if (!(cause instanceof SignalboxError) || cause.code !== 'no_such_moment') throw cause;
    throw new SignalboxError(
      'log_mismatch',
      `the Signalbox that answers is at event ${sequence}, and this log ends with ${replay.place.sequence}: name its log with --data-dir or --nats-url, or the other Signalbox with --url`,
      { cause },
    );
  }
}

function differencesOf({ sequence, entries: live }: StateAnswer, rebuilt: readonly Entry[]): Difference[] {
  const theirs = new Map(live.map((entry) => [`${entry.part} ${entry.key}`, entry]));
  const ours = new Map(rebuilt.map((entry) => [`${entry.part} ${entry.key}`, entry]));
  return [...new Set([...theirs.keys(), ...ours.keys()])].flatMap((name) => {
    const [a, b] = [theirs.get(name), ours.get(name)];
    const { part, key } = a ?? b ?? { part: '', key: '' };
    if (a?.sha256 === b?.sha256) return [];
    return [{ part, key, sequence, live: a?.sha256 ?? null, rebuilt: b?.sha256 ?? null }];
  });
}

function otherLog(live: string, rebuilt: string): SignalboxError {
  return new SignalboxError(
    'log_mismatch',
    `the Signalbox that answers writes another log (its writer is ${live}, here it is ${rebuilt}): name its log with --data-dir or --nats-url, or the other Signalbox with --url`,
  );
}
