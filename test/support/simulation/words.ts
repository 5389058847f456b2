/** Agents speak through the same use cases that HTTP calls. */
import { addComment, addOutput, reportHeartbeat, reportStatus } from '../../../src/app/agents/agent-words.ts';
import type { AppContext } from '../../../src/app/context.ts';
import { unreachable } from '../../../src/contracts/errors.ts';
import { projectId, taskId } from '../../../src/contracts/ids.ts';
import type { RunRequest } from '../../../src/drivers/driver.ts';
import type { Word } from './script.ts';

/** @param mark by which the word is found again in the log */
export function speak(
  app: AppContext,
  order: Pick<RunRequest, 'project' | 'task' | 'token'>,
  { say }: Word,
  mark: string,
): Promise<unknown> {
  const project = projectId(order.project);
  const task = taskId(order.task);
  switch (say) {
    case 'working':
    case 'review':
    case 'failed':
    case 'blocked':
      return reportStatus(app, project, task, { status: say, detail: mark }, order.token);
    case 'heartbeat':
      return reportHeartbeat(app, project, task, {}, order.token);
    case 'output':
      return addOutput(app, project, task, { type: 'document', title: mark, content: 'text' }, order.token);
    case 'comment':
      return addComment(app, project, task, { body: mark }, order.token);
    default:
      return unreachable(say, 'speak');
  }
}
