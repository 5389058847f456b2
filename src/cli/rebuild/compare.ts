/**
 * Compares a rebuilt state with a live state that keeps changing.
 *
 * Each page of the live state names its sequence; the rebuild advances to that event before the comparison, so a new
 * event neither causes nor hides a difference. Invariant retention/changes-nothing: only settled tasks may be missing in
 * the live state, and no more of them than retention has removed.
 */
import type { Projections } from '../../../projections/index.ts';
import type { SignalboxClient } from '../../client/client.ts';
import type { StateAnswer } from '../../contracts/api/system-answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import { type Entry, entriesOf } from '../../engine/replay/entries.ts';
import type { Replay } from '../../engine/replay/replay.ts';

export interface Difference {
  /** `task`, `attempts`, `agent`, `counts`, `throughput`, `usage`, `retention`. */
  readonly part: string;
  /** `project/task`, or the id of an agent. */
  readonly key: string;
  /** Event at which both were compared. */
  readonly sequence: number;
  /** Hashes, or numbers of tasks for `retention`; null if the entry does not exist. */
  readonly live: string | null;
  readonly rebuilt: string | null;
}

export interface Comparison {
  /** Entries that were compared. */
  readonly entries: number;
  /** Tasks that are no longer in memory; they are read from the log on request. */
  readonly forgotten: number;
  readonly differences: readonly Difference[];
}

/**
 * @param replay at its beginning; advances to the live state
 * @param writer the writer that the rebuilt log names
 * @throws SignalboxError `unreachable`, `log_mismatch` for a Signalbox on another log, and errors of the replay
 */
export async function compareWithLive(
  client: SignalboxClient,
  replay: Replay,
  writer: () => string,
): Promise<Comparison> {
  const differences: Difference[] = [];
  let entries = 0;
  let forgotten = 0;
  for (let after: number | null = 0; after !== null; ) {
    const page: StateAnswer = await client.readState({ after });
    await reach(replay, page.sequence);
    if (page.writer !== writer()) throw otherLog(page.writer, writer());
    const compared = comparePage(page, replay.projections, after);
    differences.push(...compared.differences);
    entries += page.entries.length;
    forgotten += compared.forgotten.size;
    if (page.next === null && forgotten > page.forgotten) differences.push(tooFew(page, forgotten));
    after = page.next;
  }
  return { entries, forgotten, differences };
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

function comparePage(
  { sequence, entries: live, next: until }: StateAnswer,
  projections: Projections,
  after: number,
): { readonly differences: readonly Difference[]; readonly forgotten: ReadonlySet<string> } {
  const theirs = byName(live);
  const ours = byName(entriesOf(projections, { after, until }).entries);
  const forgotten = new Set<string>();
  const differences: Difference[] = [];
  for (const name of new Set([...theirs.keys(), ...ours.keys()])) {
    const [a, b] = [theirs.get(name), ours.get(name)];
    const { part, key } = a ?? b ?? { part: '', key: '' };
    if (a?.sha256 === b?.sha256) continue;
    const task = projections.blackboard.tasks.get(key);
    const mayBeGone = task && SETTLED_STATES.has(task.state) && !theirs.has(`task ${key}`);
    if (!a && mayBeGone) forgotten.add(key);
    else differences.push({ part, key, sequence, live: a?.sha256 ?? null, rebuilt: b?.sha256 ?? null });
  }
  return { differences, forgotten };
}

function byName(entries: readonly Entry[]): Map<string, Entry> {
  return new Map(entries.map((entry) => [`${entry.part} ${entry.key}`, entry]));
}

/** More tasks are missing in the live state than retention has removed. */
function tooFew({ sequence, forgotten }: StateAnswer, missing: number): Difference {
  return { part: 'retention', key: '', sequence, live: String(forgotten), rebuilt: String(missing) };
}

function otherLog(live: string, rebuilt: string): SignalboxError {
  return new SignalboxError(
    'log_mismatch',
    `the Signalbox that answers writes another log (its writer is ${live}, here it is ${rebuilt}): name its log with --data-dir or --nats-url, or the other Signalbox with --url`,
  );
}
