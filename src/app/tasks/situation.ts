/** The situation of a task: everything that explains why it is not running, or not done. */
import {
  type AgentView,
  type AttemptView,
  type BudgetView,
  type PausedQueue,
  type QuestionView,
  questionsOf,
  type TaskView,
} from '../../../projections/index.ts';
import { messageOf } from '../../contracts/errors.ts';
import { taskKey } from '../../contracts/ids.ts';
import { attemptOf, attemptsOf, childrenOf, isAuxiliary, refOf, taskOf } from '../../engine/runtime/views.ts';
import { queueOf } from '../../engine/supervisor/agent-roster.ts';
import type { QueueKey } from '../../engine/supervisor/ready-tasks.ts';
import { reviewerOf } from '../../engine/supervisor/reviews.ts';
import { sessionHolder } from '../../engine/supervisor/sessions.ts';
import type { AppContext } from '../context.ts';

export interface Situation {
  readonly task: TaskView;
  /** Its open attempt. */
  readonly attempt: AttemptView | null;
  /** Questions of its agent that are not answered, the oldest first. */
  readonly questions: readonly OpenQuestion[];
  /** Dependencies that are not done; `state` is null for a task that no longer exists. */
  readonly dependencies: readonly { readonly id: string; readonly state: string | null }[];
  /** The dependency that blocks it; null if it is not blocked, or if a user or an agent blocked it. */
  readonly blockedBy: string | null;
  /** Epoch milliseconds at which its attempt is stopped if it shows no sign of life until then; null if silence stops nothing. */
  readonly silentUntil: number | null;
  /** The children that it joins and that are not settled. */
  readonly awaitedChildren: readonly TaskView[];
  /** The children that it joins and that ended without being done. */
  readonly failedChildren: readonly Pick<TaskView, 'id' | 'state' | 'reason'>[];
  /** Its review by an agent; null if no agent reviews it. */
  readonly review: ReviewSituation | null;
  /** The configured agents that may take it. */
  readonly takers: readonly Taker[];
  /** Whether only its taker may take it, because that one has its session. */
  readonly hasSession: boolean;
  readonly queue: QueuePlace;
  /** The pause of its queue; null if it is open. */
  readonly pausedQueue: PausedQueue | null;
  /** Open attempts, and their limits. */
  readonly limits: {
    readonly open: number;
    readonly concurrency: number;
    readonly openInProject: number;
    readonly projectConcurrency: number;
  };
  /** The budget that holds back its project; null if none does. */
  readonly budget: BudgetView | null;
  /** Why the event log cannot be written; null if it can. */
  readonly logTrouble: string | null;
  readonly isDraining: boolean;
}

export interface OpenQuestion extends QuestionView {
  /** The task in which an agent answers it; null if none does. */
  readonly answering: Pick<TaskView, 'id' | 'state' | 'agent' | 'reason'> | null;
}

export interface ReviewSituation {
  readonly reviewer: string;
  readonly isConfigured: boolean;
  /** Whether the reviewer did the work itself. */
  readonly isOwnWork: boolean;
  /** The review task; null if there is none. */
  readonly task: Pick<TaskView, 'id' | 'state' | 'reason'> | null;
}

export interface Taker {
  readonly id: string;
  /** null if it is not registered yet. */
  readonly agent: AgentView | null;
  /** The budget that holds it back; null if none does. */
  readonly budget: BudgetView | null;
}

interface QueuePlace {
  /** Pending tasks of the same project and queue that go first. */
  readonly ahead: number;
  /** All of them, this one included. */
  readonly length: number;
  /** Pending tasks of other projects in the same queue. */
  readonly ofOtherProjects: number;
}

export function situationOf(app: AppContext, task: TaskView): Situation {
  const { host, projections } = app.state;
  const { roster, supervisor } = app.supervision;
  const { project, spec, openAttempt } = task;
  const { concurrency, projectConcurrency } = app.settings.limits;
  const ref = refOf(task);
  const queue = queueOf(spec);
  const holder = sessionHolder(task, attemptsOf(projections, ref), roster);
  const takers = holder === null ? roster.takersOf(queue) : [holder];
  return {
    task,
    attempt: openAttempt === null ? null : (attemptOf(projections, { ...ref, attempt: openAttempt }) ?? null),
    questions: questionsOf(projections.questions, ref)
      .filter(({ answer }) => answer === null)
      .map((each) => ({ ...each, answering: answeringOf(app, each) })),
    dependencies: [...new Set(spec.depends_on)]
      .map((id) => ({ id, state: taskOf(projections, { project, task: id })?.state ?? null }))
      .filter(({ state }) => state !== 'done'),
    blockedBy: host.get('task', taskKey(ref))?.context.blockedBy ?? null,
    silentUntil:
      openAttempt === null ? null : supervisor.attempts.silentUntil({ ...ref, attempt: openAttempt }),
    awaitedChildren: supervisor.awaitedChildren(task),
    failedChildren: spec.join === true ? childrenOf(projections, ref).filter(isFailedChild) : [],
    review: reviewOf(app, task),
    hasSession: holder !== null,
    takers: takers.map((id) => ({
      id,
      agent: projections.agents.byId.get(id) ?? null,
      budget: budgetOf(app, supervisor.budgets.holderOfAgent(id)),
    })),
    budget: budgetOf(app, supervisor.budgets.holderOfProject(project)),
    queue: placeOf(app, task, queue),
    pausedQueue: projections.queues.paused.get(queue) ?? null,
    limits: {
      open: host.count('attempt'),
      concurrency,
      openInProject: host.openAttempts(project),
      projectConcurrency,
    },
    logTrouble: logTroubleOf(app),
    isDraining: app.isDraining(),
  };
}

function budgetOf({ state }: AppContext, id: string | null): BudgetView | null {
  return id === null ? null : (state.projections.budgets.byId.get(id) ?? null);
}

function isFailedChild({ spec, state }: TaskView): boolean {
  return !isAuxiliary(spec) && (state === 'failed' || state === 'cancelled' || state === 'expired');
}

function reviewOf(
  { supervision: { roster, supervisor } }: AppContext,
  task: TaskView,
): ReviewSituation | null {
  const reviewer = reviewerOf(task.spec);
  if (reviewer === null) return null;
  return {
    reviewer,
    isConfigured: roster.get(reviewer) !== undefined,
    isOwnWork: task.agent === reviewer,
    task: supervisor.reviewOf(task) ?? null,
  };
}

function answeringOf({ supervision }: AppContext, question: QuestionView): OpenQuestion['answering'] {
  const task = supervision.supervisor.questions.agents.taskOf(question);
  if (!task) return null;
  const { id, state, agent = null, spec, reason } = task;
  return { id, state, agent: agent ?? spec.agent ?? null, reason };
}

function placeOf({ state }: AppContext, task: TaskView, queue: QueueKey): QueuePlace {
  let ahead = 0;
  let length = 0;
  let ofOtherProjects = 0;
  for (const other of state.projections.blackboard.tasks.values()) {
    if (other.state !== 'pending' || queueOf(other.spec) !== queue) continue;
    if (other.project !== task.project) ofOtherProjects++;
    else length++;
    if (other.project === task.project && goesBefore(other, task)) ahead++;
  }
  return { ahead, length: Math.max(length, 1), ofOtherProjects };
}

function goesBefore(other: TaskView, task: TaskView): boolean {
  if (other.goesFirst !== task.goesFirst) return other.goesFirst;
  if (other.spec.priority !== task.spec.priority) return other.spec.priority > task.spec.priority;
  return other.createdSequence < task.createdSequence;
}

function logTroubleOf({ log }: AppContext): string | null {
  try {
    log.assertWritable();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** A reason in parentheses, if there is one. */
export function because(reason: string | null): string {
  return reason === null ? '' : ` (${reason})`;
}
