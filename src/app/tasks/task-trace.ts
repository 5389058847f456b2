/** The trace context of a task, for webhooks and other receivers of its events. */
import { formatTraceparent } from '../../base/trace-context.ts';
import { traceOf } from '../../engine/runtime/task-trace.ts';
import { type Needs, taskInMemory } from '../context.ts';

/** The span of a task as a `traceparent`; null if there is no task, or it has left memory. */
export function taskTraceparent(
  app: Needs<'state.projections'>,
  { project, task }: { readonly project: string | null; readonly task: string | null },
): string | null {
  const view = project === null || task === null ? undefined : taskInMemory(app, { project, task });
  return view ? formatTraceparent(traceOf(app.state.projections.blackboard.tasks, view)) : null;
}
