/** What simulated agents and people ask Signalbox for, through the use cases that HTTP calls. */
import {
  addComment,
  addOutput,
  principalOf,
  reportHeartbeat,
  reportStatus,
} from '../../../src/app/agents/agent-messages.ts';
import type { AppContext } from '../../../src/app/context.ts';
import { TaskUpdates } from '../../../src/app/events/follow.ts';
import { askQuestion, readQuestion, withdrawQuestion } from '../../../src/app/questions/questions.ts';
import { unreachable } from '../../../src/contracts/errors.ts';
import type { RunRequest } from '../../../src/drivers/driver.ts';
import {
  approveTask,
  blockTask,
  cancelTask,
  cancelTree,
  changePriority,
  changeTask,
  rejectTask,
  retryTask,
  unblockTask,
} from '../decisions.ts';
import type { Word } from './script.ts';

/** @param mark by which the word is found again in the log */
export function speak(
  app: AppContext,
  order: Pick<RunRequest, 'project' | 'task' | 'token'>,
  { say, expiresMs, question }: Word,
  mark: string,
): Promise<unknown> {
  switch (say) {
    case 'working':
    case 'review':
    case 'failed':
    case 'blocked':
      return reportStatus(app, order, { status: say, detail: mark }, order.token);
    case 'heartbeat':
      return reportHeartbeat(app, order, {}, order.token);
    case 'output':
      return addOutput(app, order, { type: 'document', title: mark, content: 'text' }, order.token);
    case 'ask': {
      const options = ['yes', 'no'];
      const expires_in_seconds = expiresMs && expiresMs / 1_000;
      const asked = { id: question ?? questionIdOf(mark), message: mark, options, expires_in_seconds };
      return askQuestion(
        app,
        order,
        { ...asked, ...(expiresMs && { default: { option: 'no' } }) },
        order.token,
      );
    }
    case 'poll':
      return poll(app, order, question ?? '');
    case 'withdraw': {
      const { project, task, token } = order;
      const sender = { actor: 'agent:', token };
      return withdrawQuestion(app, { project, task, question: question ?? '' }, { comment: mark }, sender);
    }
    case 'comment':
      return addComment(app, order, { body: mark }, { actor: 'agent:', token: order.token });
    default:
      return unreachable(say, 'speak');
  }
}

/** One look at a question, as its asker has it while it waits. */
async function poll(
  app: AppContext,
  { project, task, token }: Pick<RunRequest, 'project' | 'task' | 'token'>,
  question: string,
): Promise<void> {
  const reader = principalOf(app, token, { project, task });
  const updates = new TaskUpdates(app);
  try {
    const wait = { waitMs: 0, gone: new AbortController().signal, reader };
    await readQuestion(app, updates, { project, task, question }, wait);
  } finally {
    updates.close();
  }
}

/** The id of a question that an agent asks with this mark. */
function questionIdOf(mark: string): string {
  return mark.replace(/[^A-Za-z0-9_-]/g, '-');
}

const USE_CASES = {
  approve: approveTask,
  reject: rejectTask,
  cancel: cancelTask,
  block: blockTask,
  unblock: unblockTask,
  retry: retryTask,
  priority: changePriority,
  edit: changeTask,
  cancelTree,
} as const;

export type TaskDecision = keyof typeof USE_CASES;
export const TASK_DECISIONS = Object.keys(USE_CASES) as readonly TaskDecision[];

export function decideTask(
  app: AppContext,
  decision: TaskDecision,
  { project, id }: { readonly project: string; readonly id: string },
  comment: string,
): Promise<unknown> {
  return USE_CASES[decision](app, { project, task: id }, { comment }, 'user:somebody');
}
