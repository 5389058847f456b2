/** A background command in answers, and as text for a model. */
import { join } from 'node:path';
import type { AttemptView, TaskView } from '../../../projections/index.ts';
import { type AppContext, findAttempts } from '../../app/context.ts';
import { timeOf } from '../../app/tasks/task-json.ts';
import { cutText } from '../../base/text/cut-text.ts';
import {
  type BackgroundAnswer,
  type BackgroundState,
  backgroundParamsSchema,
  isBackgroundState,
  PREVIEW_LENGTH,
} from '../../contracts/api/background.ts';
import { unreachable } from '../../contracts/errors.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import { refOf } from '../../engine/runtime/views.ts';

/** @throws SignalboxError `log_unavailable` */
export async function backgroundAnswer(app: AppContext, task: TaskView): Promise<BackgroundAnswer> {
  const attempts = await findAttempts(app, refOf(task));
  const attempt = attempts.at(-1);
  // The parameters of a redacted task are not valid.
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

/** The output that was kept, and the number of bytes that the process wrote, which may be more. */
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
      if (lastOutcome === null || lastOutcome === 'completed' || !isBackgroundState(lastOutcome))
        return 'failed';
      return lastOutcome;
    default:
      return unreachable(state, 'statusOf');
  }
}

/** The results as a block for a model to read before its next turn; empty if there are none. */
export function backgroundBlock(results: readonly BackgroundAnswer[]): string {
  if (results.length === 0) return '';
  return `<background-results>\n${results.map(lineOf).join('\n')}\n</background-results>`;
}

function lineOf({ task_id, status, error, output, output_file }: BackgroundAnswer): string {
  const said = [error === null ? '' : `(${error}) `, output?.trim() ?? ''].join('');
  const preview = escaped(cutText(said === '' ? '(no output)' : said, PREVIEW_LENGTH));
  const where = output_file === null ? '' : ` (output_file=${escaped(output_file)})`;
  return `[bg:${task_id}] ${status}: ${preview}${where}`;
}

/** The output of a command must not end the block, or begin another one. */
function escaped(text: string): string {
  return text.replaceAll(/<(?=\s*\/?\s*background-results)/gi, '&lt;');
}
