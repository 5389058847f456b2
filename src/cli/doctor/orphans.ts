/** Processes of attempts that an earlier Signalbox of this data directory left running. */

import { join } from 'node:path';
import { pino } from 'pino';
import { cutText } from '../../base/text/cut-text.ts';
import { leftText } from '../../contracts/processes/kill-text.ts';
import { installationOf } from '../../daemon/data-directory.ts';
import type { Host } from '../../process/host/host.ts';
import { isAlive } from '../../process/host/process-table.ts';
import { createProcessRunner } from '../../process/host-runner.ts';
import { MARKER_VARIABLE, splitMarkers } from '../../process/markers.ts';
import type { KillEvidence, ProcessRunner } from '../../process/runner.ts';
import { type CheckContext, type Finding, fail, ok, warn } from './finding.ts';

const CHECK = 'orphans';
const COMMAND_CHARACTERS = 100;
/** A marker comes from the environment of another process, so it is checked before it becomes part of a path. */
const ATTEMPT = /^[A-Za-z0-9_-]+\/[A-Za-z0-9_-]+\/[1-9]\d*$/;

interface Orphan {
  readonly pid: number;
  readonly command: string;
}

/** By attempt, as in `project/task/1`. */
type Orphans = ReadonlyMap<string, readonly Orphan[]>;

export async function checkOrphans(
  { config, repair }: CheckContext,
  host: Host,
): Promise<readonly Finding[]> {
  const installation = await installationOf(config.data_dir);
  const orphans: Orphans = installation === null ? new Map() : await findOrphans(host, `${installation}:`);
  if (installation === null || orphans.size === 0) return [ok(CHECK, 'none')];
  if (!repair) {
    const advice = 'the next "up" adopts or ends them; "doctor --repair" kills them now';
    return [warn(CHECK, `agents of an earlier run are still running:\n${listOf(orphans)}`, advice)];
  }
  // It starts nothing: how the orphans are kept together was decided when they were started.
  const runner = createProcessRunner({
    log: pino({ level: 'silent' }),
    launchShell: false,
    containment: 'search',
  });
  try {
    const graceMs = config.defaults.kill_grace_seconds * 1_000;
    const kills = [...orphans].map(async ([attempt, processes]) => {
      const directory = join(config.data_dir, 'attempts', attempt, 'process');
      const evidence = await kill(runner, directory, `${installation}:${attempt}`, graceMs);
      return findingOf(attempt, processes, evidence);
    });
    return await Promise.all(kills);
  } finally {
    runner.close();
  }
}

/** Leaves out the attempt that this process itself belongs to. */
async function findOrphans(host: Host, prefix: string): Promise<Orphans> {
  const own = new Set(splitMarkers(process.env[MARKER_VARIABLE] ?? ''));
  const orphans = new Map<string, Orphan[]>();
  for (const entry of await host.table.scan({ markersSince: '0' })) {
    const marker = entry.markers?.findLast((each) => each.startsWith(prefix) && !own.has(each));
    const attempt = marker?.slice(prefix.length);
    if (attempt === undefined || !ATTEMPT.test(attempt) || !isAlive(entry)) continue;
    const command = (await host.table.commandLine(entry.pid)) ?? entry.name;
    const processes = orphans.get(attempt) ?? [];
    processes.push({ pid: entry.pid, command: cutText(command.replaceAll(/\s+/g, ' '), COMMAND_CHARACTERS) });
    orphans.set(attempt, processes);
  }
  return orphans;
}

function listOf(orphans: Orphans): string {
  return [...orphans]
    .flatMap(([attempt, processes]) =>
      processes.map(({ pid, command }) => `pid ${pid} of attempt ${attempt}: ${command}`),
    )
    .join('\n');
}

/** @returns null if nothing in the directory shows that the process belongs to the attempt */
async function kill(
  runner: ProcessRunner,
  directory: string,
  marker: string,
  graceMs: number,
): Promise<KillEvidence | null> {
  const adoption = await runner.adopt(directory, marker);
  return adoption.kind === 'never_started' ? null : adoption.process.kill({ graceMs });
}

function findingOf(attempt: string, processes: readonly Orphan[], evidence: KillEvidence | null): Finding {
  const list = listOf(new Map([[attempt, processes]]));
  if (evidence === null) {
    const detail = `not killed, because the data directory has no record of its start:\n${list}`;
    return warn(CHECK, detail, 'end it yourself if you do not need it');
  }
  const { processCount, signalCount, survivors, containment } = evidence;
  const proof = `${processCount} found, ${signalCount} signals sent, ${leftText({ survivors, containment })}`;
  if (survivors === 0 || survivors === 'unknown') return ok(CHECK, `killed (${proof}):\n${list}`);
  return fail(CHECK, `could not be killed (${proof}):\n${list}`, 'end them as their owner or as root');
}
