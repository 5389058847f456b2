/**
 * Random histories that are worth having: a step is turned into an event by looking at the state at its turn, so that
 * most steps mean something, the others are what a confused caller might say, and both stay so while a failure shrinks.
 */
import fc from 'fast-check';
import { type DomainEvent, EVENT_TYPES, type EventType } from '../../../src/contracts/events/events.ts';
import { ATTEMPT_OUTCOMES } from '../../../src/contracts/tasks.ts';
import type { ActorHost } from '../../../src/engine/runtime/actor-host.ts';
import { EVENTS } from './event-arbitraries.ts';

export const TASKS = ['p/a', 'q/a'] as const;
export const AGENTS = ['x', 'y'] as const;
export const QUEUES = ['agent:x', 'type:t'] as const;
export const SCHEDULES = ['nightly'] as const;
export const BUDGETS = ['daily'] as const;

export interface Step {
  /** Whether it is something that its task, its attempt, its agent, its queue, its schedule or its workspace hears in the present state. */
  readonly isSensible: boolean;
  readonly type: EventType;
  readonly task: (typeof TASKS)[number];
  readonly agent: (typeof AGENTS)[number];
  readonly queue: (typeof QUEUES)[number];
  readonly schedule: (typeof SCHEDULES)[number];
  readonly budget: (typeof BUDGETS)[number];
  readonly attempt: number;
  /** Whether a word of an attempt names another agent than the one that claimed it. */
  readonly isMistaken: boolean;
  /** Chooses one of the accepted event types. */
  readonly pick: number;
  /** Decides what is left open. */
  readonly choice: number;
}

export const step: fc.Arbitrary<Step> = fc.record(
  {
    isSensible: fc.nat({ max: 9 }).map((dice) => dice > 0),
    type: fc.constantFrom(...EVENT_TYPES),
    task: fc.constantFrom(...TASKS),
    agent: fc.constantFrom(...AGENTS),
    queue: fc.constantFrom(...QUEUES),
    schedule: fc.constantFrom(...SCHEDULES),
    budget: fc.constantFrom(...BUDGETS),
    attempt: fc.integer({ min: 1, max: 4 }),
    isMistaken: fc.nat({ max: 9 }).map((dice) => dice === 9),
    pick: fc.nat({ max: 10_000 }),
    choice: fc.nat({ max: 10_000 }),
  },
  { noNullPrototype: true },
);

/** What ends or hinders a task, and would end nearly all of them early if it came as often as the rest. */
const RARE: ReadonlySet<string> = new Set<EventType>([
  'task.cancelled',
  'task.expired',
  'task.blocked',
  'task.failure_reported',
  'attempt.stop_requested',
  'agent.paused',
  'agent.drained',
  'agent.connected',
  'agent.disconnected',
  'agent.retired',
  'queue.paused',
  'workspace.removal_requested',
  'supervisor.draining',
  'supervisor.stopped',
]);

const BODIES_EACH = 40;

/** Ready-made events of each type, whose addresses and deciding fields are replaced. */
const BODIES = new Map(
  [...EVENTS].map(([type, events]) => [type, fc.sample(events, { numRuns: BODIES_EACH, seed: 1 })]),
);

/** The agent of each attempt that was claimed, by `project/task/attempt`. */
export type Claims = Map<string, string>;

export function eventOf(step: Step, host: ActorHost, claims: Claims): DomainEvent {
  return step.isSensible ? sensible(step, host, claims) : build(step.type, step, {});
}

function sensible(step: Step, host: ActorHost, claims: Claims): DomainEvent {
  const task = host.get('task', step.task);
  if (!task) return build('task.created', step, {});
  if (!host.get('agent', step.agent)) return build('agent.registered', step, {});
  const { openAttempt: open, attempts, waitingFor, messages, questions } = task.context;
  const attemptKey = `${step.task}/${open}`;
  if (task.context.merging && step.choice % 4 > 0) return build(mergingType(step, host), step, {});
  const accepted = [
    ...host.acceptedTypes('task', step.task),
    ...host.acceptedTypes('attempt', attemptKey),
    // Seldom, so that tasks get somewhere.
    ...(step.choice % 3 === 0 ? host.acceptedTypes('agent', step.agent) : []),
    ...(step.choice % 5 === 0 ? host.acceptedTypes('supervisor', 'supervisor') : []),
    ...workspaceTypes(step, host),
    ...(step.choice % 7 === 0 ? host.acceptedTypes('queue', step.queue) : []),
    ...(step.choice % 4 === 0 ? host.acceptedTypes('schedule', step.schedule) : []),
    ...(step.choice % 4 === 1 ? host.acceptedTypes('budget', step.budget) : []),
  ]
    .filter((type): type is EventType => BODIES.has(type as EventType))
    .filter((type) => !RARE.has(type) || step.choice % 3 === 0);
  const type = accepted[step.pick % accepted.length] ?? step.type;
  if (type === 'task.claimed') return build(type, step, { attempt: attempts + 1 });
  const agent = claims.get(attemptKey);
  return build(type, step, {
    ...(open === null ? {} : { attempt: open }),
    ...(agent === undefined || type.startsWith('agent.') || step.isMistaken ? {} : { agent }),
    ...(type === 'task.steering_delivered' && messages.length > 0 ? { messages: messages.slice(0, 1) } : {}),
    ...(type === 'attempt.question_answered' && questions.length > 0 ? { question: questions[0] } : {}),
    ...(type === 'task.dependency_met' ? { dependency: waitingFor[step.choice % waitingFor.length] } : {}),
  });
}

/** What leads to the end of a merge. */
function mergingType({ task, pick }: Step, host: ActorHost): EventType {
  switch (host.get('workspace', task)?.state) {
    case 'ready':
      return pick % 2 ? 'workspace.merged' : 'workspace.merge_failed';
    case 'requested':
      return 'workspace.created';
    case 'created':
      return 'workspace.set_up';
    case 'removing':
      return 'workspace.kept';
    default:
      return 'workspace.requested';
  }
}

/** Workspaces come up quickly, and are removed seldom: what happens in one that is ready is worth having. */
function workspaceTypes({ task, choice }: Step, host: ActorHost): readonly string[] {
  const { state } = host.get('workspace', task) ?? {};
  if (state === undefined) return choice % 11 === 0 ? ['workspace.requested'] : [];
  return choice % (state === 'ready' ? 6 : 4) === 0 ? host.acceptedTypes('workspace', task) : [];
}

function build(type: EventType, step: Step, known: Record<string, unknown>): DomainEvent {
  const bodies = BODIES.get(type) ?? [];
  const body = bodies[step.choice % BODIES_EACH];
  if (!body) throw new Error(`no body for ${type}`);
  const [project, task] = step.task.split('/');
  const { agent, queue, schedule, budget, attempt } = step;
  const address = { project, task, agent, queue, schedule, budget, attempt };
  const event: Record<string, unknown> = { ...body };
  for (const [name, value] of Object.entries({ ...address, ...known })) {
    // An event that may stand without an attempt sometimes does.
    if (name in body && !(event[name] === null && step.choice % 3 === 0)) event[name] = value;
  }
  Object.assign(event, favourable(body, step.choice));
  return event as DomainEvent;
}

/** What makes a body lead somewhere: random ones would wait for ever, fail, and never use up their attempts. */
function favourable(body: DomainEvent, choice: number): Partial<DomainEvent> {
  switch (body.type) {
    case 'task.created': {
      const { not_before_ms, ...spec } = body.spec;
      const later = choice % 4 === 0 && not_before_ms !== undefined ? { not_before_ms } : {};
      return {
        spec: {
          ...spec,
          ...later,
          max_attempts: 1 + (choice % 3),
          outputs: choice % 2 ? 'optional' : 'required',
        },
        waiting_for: choice % 5 === 0 ? body.waiting_for : undefined,
      };
    }
    case 'attempt.ended':
      return { outcome: choice % 2 ? 'completed' : ATTEMPT_OUTCOMES[(choice / 2) % ATTEMPT_OUTCOMES.length] };
    case 'agent.registered':
      return { concurrency: 1 + (choice % 2) };
    case 'supervisor.key_introduced':
      return { key: 'k', signed_by: choice % 2 ? undefined : 'k' };
    case 'supervisor.checkpointed':
      return { key: 'k', from: choice + 1, sequence: choice + 1 + (choice % 9) };
    default:
      return {};
  }
}
