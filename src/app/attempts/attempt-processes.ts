/** The processes of attempts on this machine, and the commands that were started for them. */

import { hostname } from 'node:os';
import { join } from 'node:path';
import type { AttemptView } from '../../../projections/index.ts';
import { cutText } from '../../base/text/cut-text.ts';
import type { AttemptAnswer, AttemptProcesses } from '../../contracts/api/answers.ts';
import type { ProcessTreeAnswer } from '../../contracts/api/processes.ts';
import type { AttemptRef } from '../../contracts/ids.ts';
import { formatOf } from '../../drivers/transcript/format-file.ts';
import { parseSpec, SPEC_FILE } from '../../process/files/attempt-directory.ts';
import type { TreeEntry } from '../../process/runner.ts';
import type { AppContext } from '../context.ts';
import { attemptJson, timeOf } from '../tasks/task-json.ts';
import { openOwnFile, processDirectoryOf } from './attempt-log.ts';
import { findAttempt, openAttemptJson, openAttempts } from './attempts.ts';
import { attemptDirectoryOf } from './transcript.ts';

/** No system starts a longer command. */
const MAX_SPEC_BYTES = 4 * 1_024 * 1_024;
/** Characters that are shown of an argument, which may be a whole prompt. */
const MAX_ARGUMENT_LENGTH = 1_000;

/**
 * The living processes of an attempt, as a tree; empty if it is over, runs on another machine, or its driver starts no
 * processes.
 * @throws SignalboxError `task_not_found`, `not_found`, `log_unavailable`
 */
export async function readProcessTree(app: AppContext, ref: AttemptRef): Promise<ProcessTreeAnswer> {
  const attempt = await findAttempt(app, ref);
  const tree = attempt.endedAt === null ? await app.supervision.supervisor.attempts.treeOf(attempt) : null;
  const { host } = attempt;
  const processes = processesOf(tree ?? [], app.environment.clock.now());
  return { host, local: host === hostname(), processes };
}

function processesOf(tree: readonly TreeEntry[], now: number): ProcessTreeAnswer['processes'] {
  const pids = new Set(tree.map(({ pid }) => pid));
  return tree.flatMap(({ pid, parentPid, command, cpuMs, memoryBytes, ageMs }) => {
    // The process has ended meanwhile.
    if (cpuMs === undefined || memoryBytes === undefined) return [];
    const parent = pids.has(parentPid) ? parentPid : null;
    const started_at = timeOf(Math.round(now - ageMs));
    return { pid, parent, command, cpu_ms: cpuMs, memory_bytes: memoryBytes, started_at };
  });
}

/**
 * One attempt, with the command that was started for it.
 * @throws SignalboxError `task_not_found`, `not_found`, `log_unavailable`
 */
export async function readAttempt(app: AppContext, ref: AttemptRef): Promise<AttemptAnswer> {
  const attempt = await findAttempt(app, ref);
  const transcript_format = attempt.transcript?.format ?? formatOf(attemptDirectoryOf(app, ref));
  return { ...attemptJson(attempt), transcript_format, command: await commandOf(app, attempt) };
}

/**
 * Program and arguments, as recorded in the directory of the attempt (without the environment, which holds secrets).
 * null if nothing was started on this machine, or the directory is gone.
 */
async function commandOf(app: AppContext, attempt: AttemptView): Promise<string[] | null> {
  const path = join(processDirectoryOf(app, attempt), SPEC_FILE);
  const file = await openOwnFile(app, path).catch(() => null);
  if (!file) return null;
  try {
    const { size } = await file.stat();
    if (size > MAX_SPEC_BYTES) return null;
    const buffer = Buffer.alloc(size);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return parseSpec(buffer.toString('utf8', 0, bytesRead))?.command.map(shortened) ?? null;
  } finally {
    await file.close();
  }
}

function shortened(argument: string): string {
  if (argument.length <= MAX_ARGUMENT_LENGTH) return argument;
  return `${cutText(argument, MAX_ARGUMENT_LENGTH)}…`;
}

export async function listProcesses(app: AppContext): Promise<AttemptProcesses[]> {
  return Promise.all(
    openAttempts(app).map(async (attempt) => {
      const tree = await app.supervision.supervisor.attempts.treeOf(attempt);
      const processes = tree?.map(({ pid, parentPid, state, command, cpuMs, ageMs }) => ({
        pid,
        parent_pid: parentPid,
        state,
        command,
        cpu_ms: cpuMs ?? null,
        age_ms: ageMs,
      }));
      return { ...openAttemptJson(attempt), processes: processes ?? null };
    }),
  );
}
