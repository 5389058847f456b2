import { SUPERVISOR_ID } from '../../../machines/index.ts';
import { SignalboxClient } from '../../client/client.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { Place } from '../../replay/cursor.ts';
import { Replay } from '../../replay/replay.ts';
import { ActorHost } from '../../runtime/actor-host.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { openLog } from '../log/open-log.ts';
import type { Terminal } from '../terminal.ts';
import { progressOn, shownReading } from '../text/progress.ts';
import { durationText } from '../text/time.ts';
import { type Comparison, compareWithLive, type Difference } from './compare.ts';
import type { RebuildOptions } from './index.ts';

/** Somebody waits for it, and a Signalbox that is not there is no failure here. */
const TIMEOUT_MS = 10_000;

export async function rebuild(terminal: Terminal, options: RebuildOptions): Promise<void> {
  const started = performance.now();
  await using log = await openLog(options);
  const host = new ActorHost();
  using progress = progressOn(terminal, 'rebuilt');
  await using replay = new Replay(shownReading(log.source, progress), { host });
  const client = new SignalboxClient({ url: options.url, timeoutMs: TIMEOUT_MS, retry: { retries: 1 } });
  const writer = (): string => host.get('supervisor', SUPERVISOR_ID)?.context.writer ?? '';
  const comparison =
    log.live === null ? null : await whereReached(() => compareWithLive(client, replay, writer));
  if (comparison === null) await replay.advance(null);
  progress.clear();
  report(terminal, replay.place, comparison, performance.now() - started, options);
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

function report(
  terminal: Terminal,
  { sequence }: Place,
  comparison: Comparison | null,
  ms: number,
  { json, url }: RebuildOptions,
): void {
  const differences = comparison?.differences ?? [];
  if (differences.length > 0) terminal.exitCode = EXIT_CODES.diverged.code;
  if (json) {
    const compared =
      comparison === null ? null : { url, entries: comparison.entries, forgotten: comparison.forgotten };
    terminal.print(
      JSON.stringify({ ok: differences.length === 0, sequence, compared, differences }, null, 2),
    );
    return;
  }
  terminal.print(`rebuilt ${sequence} events in ${durationText(ms)}: every link and every transition holds`);
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
}

function differenceText({ part, key, sequence, live, rebuilt }: Difference): string {
  if (part === 'retention') {
    return `${rebuilt} finished tasks are not in memory, and only ${live} have left it, at event ${sequence}`;
  }
  const what = live === null ? 'is missing live' : rebuilt === null ? 'is live only' : 'is not the same';
  return `${part}${key === '' ? '' : ` ${key}`} ${what}, at event ${sequence}`;
}
