/** Rebuilds the state, compares it with the live state, and drops the snapshots on request. */

import { pino } from 'pino';
import type { SignalboxClient } from '../../client/client.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { SUPERVISOR_ID } from '../../contracts/events/events.ts';
import { snapshotsIn } from '../../daemon/data-directory.ts';
import { readHolder } from '../../daemon/lock-holder.ts';
import type { Place } from '../../engine/replay/replay.ts';
import { Replay } from '../../engine/replay/replay.ts';
import { ActorHost } from '../../engine/runtime/actor-host.ts';
import { createHost } from '../../process/host/host.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { openLog } from '../open-log.ts';
import { type AddressOptions, clientOf, type SourceOptions } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { progressOn, shownReading } from '../text/progress.ts';
import { durationText } from '../text/time.ts';
import { type Comparison, compareWithLive, type Difference } from './compare.ts';

export interface RebuildOptions extends SourceOptions, AddressOptions {
  readonly dropSnapshots?: true;
}

/** The user is waiting, and an absent Signalbox is no failure here. */
const PATIENCE = { retries: 1, timeoutMs: 10_000 };

export async function runRebuild(terminal: Terminal, options: RebuildOptions): Promise<void> {
  const started = performance.now();
  await using log = await openLog(options);
  const host = new ActorHost();
  using progress = progressOn(terminal, 'rebuilt');
  await using replay = new Replay(shownReading(log.source, progress), { host });
  const client = clientOf(options, PATIENCE);
  const writer = (): string => host.get('supervisor', SUPERVISOR_ID)?.context.writer ?? '';
  const comparison =
    log.live === null ? null : await ifReachable(() => compareWithLive(client, replay, writer));
  if (comparison === null) await replay.advance(null);
  progress.clear();
  const { url } = options;
  const drop = { client, url, isLive: comparison !== null, dataDirectory: log.dataDirectory };
  const dropped = options.dropSnapshots ? await dropSnapshots(drop) : null;
  report(terminal, { place: replay.place, comparison, dropped, ms: performance.now() - started }, options);
}

/** null if no Signalbox listens. */
async function ifReachable(compare: () => Promise<Comparison>): Promise<Comparison | null> {
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
  /** Where snapshots were dropped; null if they were not. */
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
  terminal.print(
    `rebuilt ${sequence} events in ${durationText(ms)}: the hash chain and every transition are valid`,
  );
  if (dropped !== null)
    terminal.print(`dropped the snapshots of ${dropped}: the next start reads the whole log`);
  if (comparison === null) {
    terminal.print(`not compared: no Signalbox on this log listens at ${url}`);
    return;
  }
  if (differences.length === 0) {
    const { entries, forgotten } = comparison;
    const left = forgotten === 0 ? '' : `; ${forgotten} finished tasks are no longer in memory`;
    terminal.print(`identical to the live state at ${url}: ${entries} entries compared${left}`);
    return;
  }
  terminal.print(
    `DIFFERS from the live state at ${url}: ${differences.length} of ${comparison.entries} entries`,
  );
  for (const difference of differences) terminal.print(`  ${differenceText(difference)}`);
  terminal.print(
    'To continue with the state of the log: stop Signalbox, run "signalbox rebuild --drop-snapshots", start it again',
  );
}

function differenceText({ part, key, sequence, live, rebuilt }: Difference): string {
  if (part === 'retention') {
    return `${rebuilt} finished tasks are not in memory, but only ${live} were removed from it, at event ${sequence}`;
  }
  const what =
    live === null
      ? 'is missing in the live state'
      : rebuilt === null
        ? 'is only in the live state'
        : 'differs';
  return `${part}${key === '' ? '' : ` ${key}`} ${what}, at event ${sequence}`;
}

interface DropRequest {
  readonly client: SignalboxClient;
  readonly url: string;
  /** Whether the Signalbox at the URL writes this log. */
  readonly isLive: boolean;
  readonly dataDirectory: string;
}

/**
 * Drops the snapshots, after the rebuild has found the log to be valid.
 * @returns where they were dropped, for messages
 * @throws SignalboxError `log_in_use` if a Signalbox uses the directory and does not listen at the URL
 */
async function dropSnapshots({ client, url, isLive, dataDirectory }: DropRequest): Promise<string> {
  if (isLive) {
    await client.dropSnapshots();
    return url;
  }
  const logger = pino({ level: 'silent' });
  const holder = await readHolder(dataDirectory, createHost(logger, Date.now));
  if (holder.kind !== 'none') {
    const who = holder.kind === 'alive' ? `process ${holder.holder.pid} uses them` : holder.reason;
    throw new SignalboxError(
      'log_in_use',
      `the snapshots in ${dataDirectory} were not dropped: ${who}, and no Signalbox on this log listens at ${url}. Give its address with --url, or stop it first`,
    );
  }
  await snapshotsIn(dataDirectory, logger).drop();
  return dataDirectory;
}
