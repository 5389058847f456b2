/**
 * All machines with their versions, and which entities an event moves.
 *
 * Invariant machines/pure: a machine decides by its state, its context and the event alone.
 *
 * One event is one message in the log and may move several entities at once: a claim moves the task, opens the attempt
 * and takes a slot of the agent. So there is no moment in which one has moved and another has not.
 */
import { SignalboxError } from '../src/contracts/errors.ts';
import {
  type DomainEvent,
  declarationOf,
  type EntityKind,
  entityIdOf,
} from '../src/contracts/events/events.ts';
import { type AgentContext, agentMachine, openAgent } from './agent.ts';
import { type AttemptContext, attemptMachine, openAttempt } from './attempt.ts';
import { type BudgetContext, budgetMachine, openBudget } from './budget.ts';
import { openQueue, type QueueContext, queueMachine } from './queue.ts';
import { openSchedule, type ScheduleContext, scheduleMachine } from './schedule.ts';
import { openSupervisor, type SupervisorContext, supervisorMachine } from './supervisor.ts';
import { openTask, type TaskContext, taskMachine } from './task.ts';
import { openWorkspace, type WorkspaceContext, workspaceMachine } from './workspace.ts';

export { type AgentContext, agentMachine } from './agent.ts';
export { type AttemptContext, attemptMachine, type Verdict } from './attempt.ts';
export { type BudgetContext, budgetMachine } from './budget.ts';
export { type QueueContext, queueMachine } from './queue.ts';
export { type ScheduleContext, scheduleMachine } from './schedule.ts';
export { type SupervisorContext, supervisorMachine } from './supervisor.ts';
export { type TaskContext, taskMachine } from './task.ts';
export { type WorkspaceContext, workspaceMachine } from './workspace.ts';

export interface ContextOf {
  readonly task: TaskContext;
  readonly attempt: AttemptContext;
  readonly workspace: WorkspaceContext;
  readonly agent: AgentContext;
  readonly queue: QueueContext;
  readonly schedule: ScheduleContext;
  readonly budget: BudgetContext;
  readonly supervisor: SupervisorContext;
}

export const MACHINES = {
  task: taskMachine,
  attempt: attemptMachine,
  workspace: workspaceMachine,
  agent: agentMachine,
  queue: queueMachine,
  schedule: scheduleMachine,
  budget: budgetMachine,
  supervisor: supervisorMachine,
} as const;

/** As the log has them. A machine that decides otherwise than before gets a new version. */
export const MACHINE_NAMES: Readonly<Record<EntityKind, string>> = {
  task: 'task@1',
  attempt: 'attempt@1',
  workspace: 'workspace@1',
  agent: 'agent@1',
  queue: 'queue@1',
  schedule: 'schedule@1',
  budget: 'budget@1',
  supervisor: 'supervisor@1',
};

/** An entity that an event moves. */
export interface Recipient {
  readonly kind: EntityKind;
  readonly id: string;
  /** The first context, if the event is the entity's first; null if the entity has to exist. */
  readonly opens: ContextOf[EntityKind] | null;
  /** Whether it is the entity's last event: its actor is no longer needed. */
  readonly closes: boolean;
}

/** The entities that an event moves, in the order in which their transitions are recorded. */
export function recipientsOf(event: DomainEvent): readonly Recipient[] {
  const { moves, opens, closes } = declarationOf(event.type);
  const recipients: Recipient[] = [];
  for (const kind of moves) {
    const id = entityIdOf(kind, event);
    if (id === null) continue;
    recipients.push({
      kind,
      id,
      opens: kind === opens ? firstContext(event) : null,
      closes: kind === closes,
    });
  }
  return recipients;
}

function firstContext(event: DomainEvent): ContextOf[EntityKind] {
  switch (event.type) {
    case 'task.created':
      return openTask(event);
    case 'task.claimed':
      return openAttempt(event);
    case 'workspace.requested':
      return openWorkspace(event);
    case 'agent.registered':
      return openAgent(event);
    case 'queue.paused':
      return openQueue();
    case 'schedule.created':
      return openSchedule(event);
    case 'budget.set':
      return openBudget(event);
    case 'supervisor.started':
      return openSupervisor(event);
    default:
      throw new SignalboxError('internal', `${event.type} opens an entity without a first context`);
  }
}
