/** A background command as answers show it. */
import { join } from 'node:path';
import type { AttemptView, TaskView } from '../../../projections/index.ts';
import { type AppContext, findAttempts } from '../../app/context.ts';
import { timeOf } from '../../app/tasks/task-json.ts';
import {
  type BackgroundAnswer,
  type BackgroundState,
  backgroundParamsSchema,
} from '../../contracts/api/background.ts';
import { unreachable } from '../../contracts/errors.ts';
import { BACKGROUND_PROJECT, projectId, taskId } from '../../contracts/ids.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';

/** @throws SignalboxError `log_unavailable` */
export async function backgroundAnswer(app: AppContext, task: TaskView): Promise<BackgroundAnswer> {
  const attempts = await findAttempts(app, projectId(BACKGROUND_PROJECT), taskId(task.id));
  const attempt = attempts.at(-1);
  // What was erased from the log is no command any more.
  const params = backgroundParamsSchema.safeParse(task.spec.params);
  const { command, cwd } = params.success ? params.data : { command: task.spec.description, cwd: undefined };
  const isOver = SETTLED_STATES.has(task.state);
  const printed = isOver ? printedBy(task, attempt) : null;
  const directory =
    attempt && join(app.settings.directories.attempts, task.project, task.id, String(attempt.attempt));
  const hasStarted = directory !== undefined && attempt?.startedAt != null;
  return {
    task_id: task.id,
    status: statusOf(task),
    command,
    cwd: cwd ?? null,
    exit_code: attempt?.exitCode ?? null,
    signal: attempt?.signal ?? null,
    error: isOver && task.state !== 'done' ? (task.reason ?? attempt?.error ?? null) : null,
    output: printed?.text ?? null,
    output_bytes: printed?.bytes ?? null,
    truncated: printed !== null && printed.bytes > Buffer.byteLength(printed.text),
    output_file: hasStarted ? join(directory, 'process', 'stdout.log') : null,
    result_file: hasStarted && attempt?.endedAt != null ? join(directory, 'result.json') : null,
    created_at: timeOf(task.createdAt),
    started_at: timeOf(attempt?.startedAt ?? null),
    finished_at: timeOf(task.finishedAt),
  };
}

/** In bytes: as the process was seen to write, which is more than what is kept. */
function printedBy(
  { outputs }: TaskView,
  attempt: AttemptView | undefined,
): { readonly text: string; readonly bytes: number } {
  const text = outputs.findLast((output) => output.attempt === attempt?.attempt)?.content ?? '';
  const seen = attempt?.evidence?.stdoutBytes;
  return { text, bytes: typeof seen === 'number' ? seen : Buffer.byteLength(text) };
}

function statusOf({ state, lastOutcome }: TaskView): BackgroundState {
  switch (state) {
    case 'scheduled':
    case 'pending':
    case 'blocked':
      return 'pending';
    case 'claimed':
    case 'working':
    case 'review':
      return 'running';
    case 'done':
      return 'completed';
    case 'cancelled':
      return 'cancelled';
    case 'failed':
    case 'expired':
      return lastOutcome === null || lastOutcome === 'completed' ? 'failed' : lastOutcome;
    default:
      return unreachable(state, 'statusOf');
  }
}
