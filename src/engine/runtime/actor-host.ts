/**
 * The actors: every entity that something can still happen to, each with the logic of its XState machine, its state,
 * and this host as its mailbox.
 *
 * H1 An event is asked of every recipient before it is sent to any (XState swallows what a state does not hear), so
 *    it moves all of them or none.
 * H2 An actor may be ahead of the log by what is in flight. Whoever wants to know what is true reads a projection.
 * H3 A state that was handed out is replaced, never changed: whoever holds one holds what was true then.
 */
import type { AnyStateMachine } from 'xstate';
import {
  type ContextOf,
  MACHINE_NAMES,
  MACHINES,
  type Recipient,
  recipientsOf,
} from '../../../machines/index.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import {
  type DomainEvent,
  ENTITY_KINDS,
  type EntityKind,
  type Transition,
} from '../../contracts/events/events.ts';
import { SETTLED_STATES, type TaskState } from '../../contracts/tasks.ts';
import { type FlatLogic, type FlatTransition, flatLogic } from './flat-logic.ts';

export interface EntityState<Kind extends EntityKind = EntityKind> {
  readonly state: string;
  readonly context: ContextOf[Kind];
  readonly version: number;
}

/** What an event did to one entity, with the state before it: undefined where the event is the entity's first. */
export interface Move {
  readonly kind: EntityKind;
  readonly id: string;
  readonly before: EntityState | undefined;
}

/** All actors at one moment, as plain data. */
export type ActorStates = { readonly [Kind in EntityKind]: Map<string, EntityState<Kind>> };

/** A machine for each kind of entity. */
export type Machines = Readonly<Record<EntityKind, AnyStateMachine>>;

type Logic = FlatLogic<ContextOf[EntityKind], DomainEvent>;
type Logics = Readonly<Record<EntityKind, Logic>>;

/** Where an entity stands: what replaces its state finds it without looking its id up again. */
interface Seat {
  entity: EntityState;
}

/** What an event is about to do to one recipient. */
interface Step {
  readonly recipient: Recipient;
  /** undefined where the event is the entity's first. */
  readonly seat: Seat | undefined;
  /** The state that the event finds. */
  readonly entity: EntityState;
  readonly transition: FlatTransition<ContextOf[EntityKind]>;
}

const OUR_LOGICS = logicsOf(MACHINES);

const NEW = 'new';

export class ActorHost {
  readonly #logics: Logics;
  readonly #seats: Readonly<Record<EntityKind, Map<string, Seat>>> = noSeats();
  /** How many open attempts each project has: an index over the attempts, kept where they come and go. */
  readonly #openAttempts = new Map<string, number>();
  /** Tasks that are settled and have no open attempt: an index as well. */
  #settled = 0;

  /** @param machines others than today's, to see what they would do with a history */
  constructor(machines: Machines = MACHINES) {
    this.#logics = machines === MACHINES ? OUR_LOGICS : logicsOf(machines);
  }

  /** Tasks that are not settled, or whose last attempt has yet to end. */
  get unfinishedTasks(): number {
    return this.#seats.task.size - this.#settled;
  }

  /** How many entities of a kind are here. Attempts are only while they are open. */
  count(kind: EntityKind): number {
    return this.#seats[kind].size;
  }

  /** Attempts of a project that are open. */
  openAttempts(project: string): number {
    return this.#openAttempts.get(project) ?? 0;
  }

  get<Kind extends EntityKind>(kind: Kind, id: string): EntityState<Kind> | undefined {
    return this.#seats[kind].get(id)?.entity as EntityState<Kind> | undefined;
  }

  /** Ids of the entities of a kind, in the order in which they came. */
  ids(kind: EntityKind): Iterable<string> {
    return this.#seats[kind].keys();
  }

  /** The types of events that the entity hears in its present state; empty for one that is not there. */
  heard(kind: EntityKind, id: string): readonly string[] {
    const state = this.get(kind, id)?.state;
    return state === undefined ? [] : this.#logics[kind].heard(state);
  }

  /**
   * Sends the event to all who hear it.
   * @param moves filled with the states before it, for `statesBefore`
   * @returns what it changed. @throws SignalboxError `illegal_transition`, and then nothing has changed.
   */
  apply(event: DomainEvent, moves?: Move[]): Transition[] {
    const steps = recipientsOf(event).map((recipient) => this.#prepare(recipient, event));
    return steps.map((step) => this.#take(step, event, moves));
  }

  /** Takes an entity in, as it was when a snapshot was taken. */
  restore(kind: EntityKind, id: string, entity: EntityState): void {
    this.#add(kind, id, entity);
  }

  /** Lets go of an entity to which nothing is to happen any more. */
  forget(kind: EntityKind, id: string): void {
    const seat = this.#seats[kind].get(id);
    if (seat) this.#remove(kind, id, seat);
  }

  /** All actors as they were before these moves, the latest of which is the last. Costs a copy of the tables. */
  statesBefore(moves: readonly Move[]): ActorStates {
    const states = Object.fromEntries(
      ENTITY_KINDS.map((kind) => [
        kind,
        new Map(Array.from(this.#seats[kind], ([id, { entity }]) => [id, entity])),
      ]),
    );
    for (const { kind, id, before } of moves.toReversed()) {
      if (before) states[kind]?.set(id, before);
      else states[kind]?.delete(id);
    }
    return states as unknown as ActorStates;
  }

  #prepare(recipient: Recipient, event: DomainEvent): Step {
    const { kind, id, opens } = recipient;
    const seat = this.#seats[kind].get(id);
    const entity = seat?.entity ?? (opens && { state: NEW, context: opens, version: 0 });
    if (!entity) {
      throw new SignalboxError(
        'illegal_transition',
        `${kind} ${id} does not exist: ${event.type} is not for it`,
      );
    }
    const transition = this.#logics[kind].select(entity.state, entity.context, event);
    if (!transition) throw this.#refusal(recipient, event);
    return { recipient, seat, entity, transition };
  }

  #take({ recipient, seat, entity, transition }: Step, event: DomainEvent, moves?: Move[]): Transition {
    const { kind, id, closes } = recipient;
    moves?.push({ kind, id, before: seat?.entity });
    const { state, context } = this.#logics[kind].take(transition, entity.state, entity.context, event);
    const version = entity.version + 1;
    const next = { state, context, version };
    if (seat && closes) this.#remove(kind, id, seat);
    else if (seat) this.#replace(kind, seat, next);
    else if (!closes) this.#add(kind, id, next);
    const from = seat ? entity.state : null;
    return { entity: kind, id, version, from, to: state, machine: MACHINE_NAMES[kind] };
  }

  #add(kind: EntityKind, id: string, entity: EntityState): void {
    if (kind === 'task') this.#settled += settledCount(entity);
    if (kind === 'attempt') this.#countAttempt(id, 1);
    this.#seats[kind].set(id, { entity });
  }

  #replace(kind: EntityKind, seat: Seat, entity: EntityState): void {
    if (kind === 'task') this.#settled += settledCount(entity) - settledCount(seat.entity);
    seat.entity = entity;
  }

  #remove(kind: EntityKind, id: string, seat: Seat): void {
    if (kind === 'task') this.#settled -= settledCount(seat.entity);
    if (kind === 'attempt') this.#countAttempt(id, -1);
    this.#seats[kind].delete(id);
  }

  #countAttempt(id: string, change: 1 | -1): void {
    const project = id.slice(0, id.indexOf('/'));
    const open = this.openAttempts(project) + change;
    if (open === 0) this.#openAttempts.delete(project);
    else this.#openAttempts.set(project, open);
  }

  #refusal({ kind, id }: Recipient, event: DomainEvent): SignalboxError {
    const state = this.get(kind, id)?.state ?? NEW;
    const legal = this.heard(kind, id);
    return new SignalboxError(
      'illegal_transition',
      `${kind} ${id} is ${state}: ${event.type} is not possible there${legal.length > 0 ? `, only ${legal.join(', ')}` : ''}`,
      {
        details: {
          entity: kind,
          id,
          [kind === 'task' || kind === 'attempt' ? 'status' : 'state']: state,
          event: event.type,
          legal,
        },
      },
    );
  }
}

/** Settled, and nothing of it is open: what has to stay in memory only for those who ask. */
export function isSettled({ state, context }: EntityState<'task'>): boolean {
  return SETTLED_STATES.has(state as TaskState) && context.openAttempt === null;
}

function settledCount(task: EntityState): number {
  return isSettled(task as EntityState<'task'>) ? 1 : 0;
}

function noSeats(): Record<EntityKind, Map<string, Seat>> {
  return { task: new Map(), attempt: new Map(), agent: new Map(), queue: new Map(), supervisor: new Map() };
}

function logicsOf(machines: Machines): Logics {
  return {
    task: flatLogic(machines.task),
    attempt: flatLogic(machines.attempt),
    agent: flatLogic(machines.agent),
    queue: flatLogic(machines.queue),
    supervisor: flatLogic(machines.supervisor),
  };
}
