/** What runs for an attempt on this machine, and what was started for it. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { AttemptView } from '../../../projections/index.ts';
import type { AttemptAnswer } from '../../contracts/api/answers.ts';
import type { ProcessTreeAnswer } from '../../contracts/api/processes.ts';
import type { ProjectId, TaskId } from '../../contracts/ids.ts';
import { parseSpec, SPEC_FILE } from '../../process/files/attempt-directory.ts';
import type { TreeEntry } from '../../process/runner.ts';
import type { AppContext } from '../context.ts';
import { attemptJson, timeOf } from '../tasks/task-json.ts';
import { openBelow, processDirectoryOf } from './attempt-files.ts';
import { findAttempt } from './attempts.ts';

/** No command is longer: the system would not have started it. */
const SPEC_BYTES_MAX = 4 * 1_024 * 1_024;
/** An argument may be a whole prompt; this much of it is shown. */
const ARGUMENT_CHARACTERS_MAX = 1_000;

/**
 * The living processes of an attempt, as a tree. None where it is over, where it runs on another machine, and where
 * its driver starts none.
 * @throws SignalboxError `task_not_found`, `not_found`, `log_unavailable`
 */
export async function readProcessTree(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  number: number,
): Promise<ProcessTreeAnswer> {
  const attempt = await findAttempt(app, project, task, number);
  const tree = attempt.endedAt === null ? await app.supervision.supervisor.attempts.treeOf(attempt) : null;
  const { host } = attempt;
  const processes = processesOf(tree ?? [], app.environment.clock.now());
  return { host, local: host === hostname(), processes };
}

function processesOf(tree: readonly TreeEntry[], now: number): ProcessTreeAnswer['processes'] {
  const pids = new Set(tree.map(({ pid }) => pid));
  return tree.flatMap(({ pid, parentPid, command, cpuMs, memoryBytes, ageMs }) => {
    // It has ended while the others were looked at.
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
export async function readAttempt(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  number: number,
): Promise<AttemptAnswer> {
  const attempt = await findAttempt(app, project, task, number);
  return { ...attemptJson(attempt), command: await commandOf(app, attempt) };
}

/**
 * Program and arguments, as the attempt's directory remembers them; the environment, which holds secrets, is not there.
 * null where nothing was started on this machine, and where the directory is gone.
 */
async function commandOf(app: AppContext, attempt: AttemptView): Promise<string[] | null> {
  const path = join(processDirectoryOf(app, attempt), SPEC_FILE);
  const file = await openBelow(app.settings.directories.attempts, path).catch(() => null);
  if (!file) return null;
  try {
    if ((await file.stat()).size > SPEC_BYTES_MAX) return null;
    return parseSpec(await file.readFile('utf8'))?.command.map(shortened) ?? null;
  } finally {
    await file.close();
  }
}

function shortened(argument: string): string {
  if (argument.length <= ARGUMENT_CHARACTERS_MAX) return argument;
  return `${argument.slice(0, ARGUMENT_CHARACTERS_MAX)}…`;
}
