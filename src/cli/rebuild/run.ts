import { SignalboxError } from '../../contracts/errors.ts';
import { SUPERVISOR_ID } from '../../contracts/events/events.ts';
import type { Place } from '../../engine/replay/replay.ts';
import { Replay } from '../../engine/replay/replay.ts';
import { ActorHost } from '../../engine/runtime/actor-host.ts';
import { clientOf } from '../client-options.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { openLog } from '../log/open-log.ts';
import type { Terminal } from '../terminal.ts';
import { progressOn, shownReading } from '../text/progress.ts';
import { durationText } from '../text/time.ts';
import { type Comparison, compareWithLive, type Difference } from './compare.ts';
import { dropSnapshots } from './drop-snapshots.ts';
import type { RebuildOptions } from './index.ts';

/** Somebody waits for it, and a Signalbox that is not there is no failure here. */
const PATIENCE = { retries: 1, timeoutMs: 10_000 };

export async function rebuild(terminal: Terminal, options: RebuildOptions): Promise<void> {
  const started = performance.now();
  await using log = await openLog(options);
  const host = new ActorHost();
  using progress = progressOn(terminal, 'rebuilt');
  await using replay = new Replay(shownReading(log.source, progress), { host });
  const client = clientOf(options, PATIENCE);
  const writer = (): string => host.get('supervisor', SUPERVISOR_ID)?.context.writer ?? '';
  const comparison =
    log.live === null ? null : await whereReached(() => compareWithLive(client, replay, writer));
  if (comparison === null) await replay.advance(null);
  progress.clear();
  const { url } = options;
  const drop = { client, url, isLive: comparison !== null, dataDirectory: log.dataDirectory };
  const dropped = options.dropSnapshots ? await dropSnapshots(drop) : null;
  report(terminal, { place: replay.place, comparison, dropped, ms: performance.now() - started }, options);
}

/** null where no Signalbox listens. */
async function whereReached(compare: () => Promise<Comparison>): Promise<Comparison | null> {
  try {
    return await compare();
  } catch (error) {
    if (error instanceof SignalboxError && error.code === 'unreachable') return null;
    throw error;
  }
}

interface Outcome {
  readonly place: Place;
  readonly comparison: Comparison | null;
  /** Where snapshots were dropped; null where they were not. */
  readonly dropped: string | null;
  readonly ms: number;
}

function report(
  terminal: Terminal,
  { place: { sequence }, comparison, dropped, ms }: Outcome,
  { json, url }: RebuildOptions,
): void {
  const differences = comparison?.differences ?? [];
  if (differences.length > 0) terminal.exitCode = EXIT_CODES.diverged.code;
  if (json) {
    const compared =
      comparison === null ? null : { url, entries: comparison.entries, forgotten: comparison.forgotten };
    const ok = differences.length === 0;
    terminal.print(
      JSON.stringify({ ok, sequence, compared, differences, snapshots_dropped: dropped }, null, 2),
    );
    return;
  }
  terminal.print(`rebuilt ${sequence} events in ${durationText(ms)}: every link and every transition holds`);
  if (dropped !== null)
    terminal.print(`dropped the snapshots of ${dropped}: the next start reads the whole log`);
  if (comparison === null) {
    terminal.print(`nothing to compare with: no Signalbox on this log listens at ${url}`);
    return;
  }
  if (differences.length === 0) {
    const { entries, forgotten } = comparison;
    const left = forgotten === 0 ? '' : `; ${forgotten} finished tasks have left memory`;
    terminal.print(`the same as what is live at ${url}: ${entries} entries compared${left}`);
    return;
  }
  terminal.print(`NOT what is live at ${url}: ${differences.length} of ${comparison.entries} entries differ`);
  for (const difference of differences) terminal.print(`  ${differenceText(difference)}`);
  terminal.print(
    'To go on with what the log says: stop Signalbox, run "signalbox rebuild --drop-snapshots", start it again',
  );
}

function differenceText({ part, key, sequence, live, rebuilt }: Difference): string {
  if (part === 'retention') {
    return `${rebuilt} finished tasks are not in memory, and only ${live} have left it, at event ${sequence}`;
  }
  const what = live === null ? 'is missing live' : rebuilt === null ? 'is live only' : 'is not the same';
  return `${part}${key === '' ? '' : ` ${key}`} ${what}, at event ${sequence}`;
}
