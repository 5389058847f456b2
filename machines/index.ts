/**
 * The registry: every machine with its version, and which entities hear which event.
 *
 * R1 One event is one message in the log, and may move several entities at once (a claim moves the task, opens
 *    the attempt and takes the agent's slot). So there is no moment in which one moved and the other did not.
 */
import { unreachable } from '../src/contracts/errors.ts';
import type { DomainEvent, EntityKind } from '../src/contracts/events/events.ts';
import { type AgentContext, agentMachine, openAgent } from './agent.ts';
import { type AttemptContext, attemptMachine, openAttempt } from './attempt.ts';
import { openQueue, type QueueContext, queueMachine } from './queue.ts';
import { openSupervisor, type SupervisorContext, supervisorMachine } from './supervisor.ts';
import { openTask, type TaskContext, taskMachine } from './task.ts';

export { type AgentContext, agentMachine } from './agent.ts';
export { type AttemptContext, attemptMachine, type Verdict } from './attempt.ts';
export { type QueueContext, queueMachine } from './queue.ts';
export { type SupervisorContext, supervisorMachine } from './supervisor.ts';
export { type TaskContext, taskMachine } from './task.ts';

export interface ContextOf {
  readonly task: TaskContext;
  readonly attempt: AttemptContext;
  readonly agent: AgentContext;
  readonly queue: QueueContext;
  readonly supervisor: SupervisorContext;
}

export const MACHINES = {
  task: taskMachine,
  attempt: attemptMachine,
  agent: agentMachine,
  queue: queueMachine,
  supervisor: supervisorMachine,
} as const;

/** As it stands in the log. A machine that decides otherwise than before gets a new version. */
export const MACHINE_NAMES: Readonly<Record<EntityKind, string>> = {
  task: 'task@1',
  attempt: 'attempt@1',
  agent: 'agent@1',
  queue: 'queue@1',
  supervisor: 'supervisor@1',
};

export const SUPERVISOR_ID = 'supervisor';

/** An entity that hears an event. */
export interface Recipient {
  readonly kind: EntityKind;
  readonly id: string;
  /** The first context, where the event is the entity's first; null where it has to be there. */
  readonly opens: ContextOf[EntityKind] | null;
  /** Whether it is the entity's last event: its actor is not needed any more. */
  readonly closes: boolean;
}

const task = (
  { project, task: id }: { project: string; task: string },
  opens: TaskContext | null = null,
): Recipient => ({ kind: 'task', id: `${project}/${id}`, opens, closes: false });
const attempt = (
  { project, task: id }: { project: string; task: string },
  number: number,
  opens: AttemptContext | null = null,
  closes = false,
): Recipient => ({ kind: 'attempt', id: `${project}/${id}/${number}`, opens, closes });
const agent = (event: { agent: string }, opens: AgentContext | null = null): Recipient => ({
  kind: 'agent',
  id: event.agent,
  opens,
  closes: false,
});
const queue = (event: { queue: string }, opens: QueueContext | null = null): Recipient => ({
  kind: 'queue',
  id: event.queue,
  opens,
  closes: false,
});
const supervisor = (opens: SupervisorContext | null = null): Recipient => ({
  kind: 'supervisor',
  id: SUPERVISOR_ID,
  opens,
  closes: false,
});

/** Who hears an event, in the order in which its transitions are recorded. */
export function recipientsOf(event: DomainEvent): readonly Recipient[] {
  switch (event.type) {
    case 'task.created':
      return [task(event, openTask(event))];
    case 'task.claimed':
      return [task(event), attempt(event, event.attempt, openAttempt(event)), agent(event)];
    case 'attempt.started':
      return [task(event), attempt(event, event.attempt)];
    case 'attempt.ended':
      return [task(event), attempt(event, event.attempt, null, true), agent(event)];
    case 'task.submitted':
    case 'task.failure_reported':
      return [task(event), attempt(event, event.attempt)];
    case 'task.blocked':
      return event.attempt === null ? [task(event)] : [task(event), attempt(event, event.attempt)];
    case 'task.due':
    case 'task.dependency_met':
    case 'task.progress_reported':
    case 'task.output_added':
    case 'task.comment_added':
    case 'task.unblocked':
    case 'task.approved':
    case 'task.rejected':
    case 'task.cancelled':
    case 'task.expired':
    case 'task.redriven':
      return [task(event)];
    case 'attempt.suspected':
    case 'attempt.recovered':
    case 'attempt.stop_requested':
      return [attempt(event, event.attempt)];
    case 'attempt.message_rejected':
    // It says something of the log, and moves nobody.
    case 'task.redacted':
      return [];
    case 'agent.registered':
      return [agent(event, openAgent(event))];
    case 'agent.paused':
    case 'agent.drained':
    case 'agent.resumed':
    case 'agent.parked':
    case 'agent.probed':
    case 'agent.unparked':
    case 'agent.connected':
    case 'agent.disconnected':
    case 'agent.retired':
      return [agent(event)];
    case 'queue.paused':
      return [queue(event, openQueue())];
    case 'queue.resumed':
      return [queue(event)];
    case 'supervisor.started':
      return [supervisor(openSupervisor(event))];
    case 'supervisor.draining':
    case 'supervisor.stopped':
    case 'supervisor.key_introduced':
    case 'supervisor.checkpointed':
      return [supervisor()];
    default:
      return unreachable(event, 'recipientsOf');
  }
}
