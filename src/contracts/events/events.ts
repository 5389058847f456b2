/**
 * The vocabulary of events: what a machine receives, what the log keeps, and what a replay sends again.
 *
 * Invariant events/meaning-never-changes: a new meaning is a new type, or a new version with an upcaster.
 * Invariant events/self-addressed: an event carries its address (project, task, attempt, agent, queue, schedule, budget), and every time,
 * id and random choice that a machine needs to follow it.
 */
import { z } from 'zod';
import { SignalboxError } from '../errors.ts';
import { attemptKey, taskKey } from '../ids.ts';
import { AGENT_EVENTS } from './agent.ts';
import { ATTEMPT_EVENTS } from './attempt.ts';
import { BUDGET_EVENTS } from './budget.ts';
import { ENTITY_KINDS, type EntityKind, type EventDeclaration, type Upcaster } from './event.ts';
import { QUEUE_EVENTS } from './queue.ts';
import { SCHEDULE_EVENTS } from './schedule.ts';
import { SUPERVISOR_EVENTS } from './supervisor.ts';
import { TASK_EVENTS } from './task.ts';
import { WORKSPACE_EVENTS } from './workspace.ts';

export { ENTITY_KINDS, type EntityKind, REDACTED } from './event.ts';

export const EVENTS = [
  ...TASK_EVENTS,
  ...ATTEMPT_EVENTS,
  ...WORKSPACE_EVENTS,
  ...AGENT_EVENTS,
  ...QUEUE_EVENTS,
  ...SCHEDULE_EVENTS,
  ...BUDGET_EVENTS,
  ...SUPERVISOR_EVENTS,
] as const;

type Declared = (typeof EVENTS)[number];
export type EventType = Declared['type'];
export type DomainEvent = z.output<Declared['schema']>;
export type EventOf<Type extends EventType> = Extract<DomainEvent, { readonly type: Type }>;

type MovedBy<Each> =
  Each extends EventDeclaration<infer Type, z.ZodRawShape, infer Moves, EntityKind>
    ? { readonly type: Type; readonly entity: Moves }
    : never;
type MarkedBy<Each> =
  Each extends EventDeclaration<infer Type, z.ZodRawShape, EntityKind, infer Marks>
    ? { readonly type: Type; readonly entity: Marks }
    : never;
type TypeIn<Pairs, Kind> = Pairs extends { readonly type: infer Type; readonly entity: infer Entity }
  ? Kind extends Entity
    ? Type & EventType
    : never
  : never;

/** Types of the events that the machine of an entity receives. */
type TypeMoving<Kind extends EntityKind> = TypeIn<MovedBy<Declared>, Kind>;
/** Types of all events that say something about an entity: those that move it, and those that only mark it. */
export type TypeAbout<Kind extends EntityKind> = TypeIn<MovedBy<Declared> | MarkedBy<Declared>, Kind>;

export type EventMoving<Kind extends EntityKind> = EventOf<TypeMoving<Kind>>;

/** A declaration of which only the type of the event is open. Its functions must get the event that it declares. */
interface AnyDeclaration {
  readonly schema: z.ZodType<DomainEvent> & { readonly shape: Readonly<Record<string, z.ZodType>> };
  readonly moves: readonly EntityKind[];
  readonly marks: readonly EntityKind[];
  readonly opens: EntityKind | undefined;
  readonly closes: EntityKind | undefined;
  readonly upcasters: readonly Upcaster[];
  redacted(event: DomainEvent): DomainEvent | null;
}

export const EVENT_TYPES: readonly EventType[] = EVENTS.map(({ type }) => type);
const DECLARATIONS = new Map<string, AnyDeclaration>(EVENTS.map((each) => [each.type, each]));

/** What is declared of a type of event. @throws SignalboxError `internal` for a type that does not exist */
export function declarationOf(type: EventType): AnyDeclaration {
  const declaration = DECLARATIONS.get(type);
  if (declaration === undefined) throw new SignalboxError('internal', `no event has the type ${type}`);
  return declaration;
}

/** The event without its content, or null if it has none. */
export function redactedForm(event: DomainEvent): DomainEvent | null {
  return declarationOf(event.type).redacted(event);
}

export const isEventType = (text: string): text is EventType => DECLARATIONS.has(text);

/** The id of an entity that the event addresses; null for a kind that it does not address. */
export function entityIdOf(kind: EntityKind, event: DomainEvent): string | null {
  switch (kind) {
    case 'task':
    case 'workspace':
      return 'task' in event ? taskKey(event) : null;
    case 'attempt':
      return 'attempt' in event && event.attempt !== null
        ? attemptKey({ project: event.project, task: event.task, attempt: event.attempt })
        : null;
    case 'agent':
      return 'agent' in event ? event.agent : null;
    case 'queue':
      return 'queue' in event ? event.queue : null;
    case 'schedule':
      return 'schedule' in event ? event.schedule : null;
    case 'budget':
      return 'budget' in event ? event.budget : null;
    default:
      return SUPERVISOR_ID;
  }
}

export const SUPERVISOR_ID = 'supervisor';

/** What an event did to one entity. An entity's versions are 1, 2, 3 … without a gap. */
export const transitionSchema = z.strictObject({
  entity: z.enum(ENTITY_KINDS),
  id: z.string(),
  version: z.int().min(1),
  /** null if the event is the entity's first. */
  from: z.string().nullable(),
  to: z.string(),
  /** Name and version of the machine that made it, e.g. `task@1`. */
  machine: z.string(),
});
export type Transition = Readonly<z.output<typeof transitionSchema>>;

/**
 * An event with everything that the log says about it. Events of a task that were decided together are stored as one message:
 * their records follow each other with the same sequence.
 */
export interface EventRecord {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** Who caused it: `supervisor`, `agent:<id>`, `user:<name>`. */
  readonly actor: string;
  /** What it follows from: the id of an event, or `message:<agent>/<id>` for a message of an agent. */
  readonly cause: string | undefined;
  /** SHA-256 (hex) of the bytes of the message before this one in the log. */
  readonly previousHash: string;
  /** How many events of the same message follow it; 0 for the last. */
  readonly left: number;
  readonly event: DomainEvent;
  readonly transitions: readonly Transition[];
}

/** A record with its sequence: the place of its message in the log. */
export interface StoredRecord extends EventRecord {
  readonly sequence: number;
}
