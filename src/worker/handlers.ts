/** Runs a job by a function: the handler of its action. */
import { messageOf } from '../contracts/errors.ts';
import { type FunctionOutput as HandlerOutput, type Returned, returnedOutputs } from '../drivers/function.ts';
import { type JobContext, type JobRunner, jobOutputs } from './job-run.ts';

export type { HandlerOutput };

/** What it returns becomes the outputs of the task; what it throws, the attempt's error. */
export type JobHandler = (context: JobContext) => Returned | Promise<Returned>;

export interface JobHandlers {
  /** By the action of the task. */
  readonly actions?: Readonly<Record<string, JobHandler>> | undefined;
  /** For every other action, and for tasks without one. */
  readonly default?: JobHandler | undefined;
}

/** Runs each job by the handler of its action. */
export function runnerOf({ actions = {}, default: other }: JobHandlers): JobRunner {
  return async (context) => {
    const { action } = context.job.content;
    const own = action !== null && Object.hasOwn(actions, action) ? actions[action] : undefined;
    const handler = own ?? other;
    if (!handler) return { status: 'failed', error: unhandled(action, Object.keys(actions)), content: [] };
    try {
      const { target, title } = context.job;
      const outputs = returnedOutputs(await handler(context), target, title);
      return { status: 'completed', content: jobOutputs(outputs) };
    } catch (thrown) {
      return { status: 'failed', error: messageOf(thrown), content: [] };
    }
  };
}

function unhandled(action: string | null, known: readonly string[]): string {
  const what = action === null ? 'a task without an action' : `the action ${JSON.stringify(action)}`;
  return `this worker has no handler for ${what}, and no default one; it has ${known.join(', ') || 'none'}`;
}
