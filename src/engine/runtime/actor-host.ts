/**
 * The actors: every entity to which something can still happen, each with the logic of its XState machine and its state.
 *
 * All recipients of an event are asked before it is sent to any (XState ignores events that a state does not handle), so
 * it moves all of them or none. An actor may be ahead of the log by decisions that are not stored yet; projections show
 * what is stored. A state is replaced, never changed, so a state that was read stays as it was.
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
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import { type FlatLogic, type FlatTransition, flatLogic } from './flat-logic.ts';

export interface EntityState<Kind extends EntityKind = EntityKind> {
  readonly state: string;
  readonly context: ContextOf[Kind];
  readonly version: number;
}

/** That an event moved an entity, with the state before: undefined if the event is the entity's first. */
export interface Move {
  readonly kind: EntityKind;
  readonly id: string;
  readonly before: EntityState | undefined;
}

/** All actors at one moment, as plain data. */
export type ActorStates = { readonly [Kind in EntityKind]: Map<string, EntityState<Kind>> };

export type Machines = Readonly<Record<EntityKind, AnyStateMachine>>;

type Logic = FlatLogic<ContextOf[EntityKind], DomainEvent>;
type Logics = Readonly<Record<EntityKind, Logic>>;

/** Holds the state of an entity, so that replacing it needs no second look-up. */
interface Slot {
  entity: EntityState;
}

interface Step {
  readonly recipient: Recipient;
  /** undefined if the event is the entity's first. */
  readonly slot: Slot | undefined;
  readonly entity: EntityState;
  readonly transition: FlatTransition<ContextOf[EntityKind]>;
}

const OUR_LOGICS = logicsOf(MACHINES);

const NEW = 'new';

export class ActorHost {
  readonly #logics: Logics;
  readonly #slots: Readonly<Record<EntityKind, Map<string, Slot>>> = noSlots();
  /** The number of open attempts of each project. */
  readonly #openAttempts = new Map<string, number>();
  /** The number of tasks that are settled and have no open attempt. */
  #settled = 0;

  /** @param machines default: the present ones; others are for checking histories */
  constructor(machines: Machines = MACHINES) {
    this.#logics = machines === MACHINES ? OUR_LOGICS : logicsOf(machines);
  }

  /** Tasks that are not settled, or have an open attempt. */
  get unfinishedTasks(): number {
    return this.#slots.task.size - this.#settled;
  }

  /** The number of entities of a kind. Attempts count only while they are open. */
  count(kind: EntityKind): number {
    return this.#slots[kind].size;
  }

  /** The number of open attempts of a project. */
  openAttempts(project: string): number {
    return this.#openAttempts.get(project) ?? 0;
  }

  get<Kind extends EntityKind>(kind: Kind, id: string): EntityState<Kind> | undefined {
    return this.#slots[kind].get(id)?.entity as EntityState<Kind> | undefined;
  }

  /** Ids of the entities of a kind, in the order of their first events. */
  ids(kind: EntityKind): Iterable<string> {
    return this.#slots[kind].keys();
  }

  /** The types of events that the entity accepts in its present state; empty if there is no such entity. */
  acceptedTypes(kind: EntityKind, id: string): readonly string[] {
    const state = this.get(kind, id)?.state;
    return state === undefined ? [] : this.#logics[kind].acceptedTypes(state);
  }

  /**
   * Sends the event to its recipients.
   * @param moves the states before the event are added to it, for `statesBefore`
   * @returns the transitions. @throws SignalboxError `illegal_transition`; nothing has changed then
   */
  apply(event: DomainEvent, moves?: Move[]): Transition[] {
    const steps = recipientsOf(event).map((recipient) => this.#prepare(recipient, event));
    return steps.map((step) => this.#take(step, event, moves));
  }

  /** Restores an entity from a snapshot. */
  restore(kind: EntityKind, id: string, entity: EntityState): void {
    this.#add(kind, id, entity);
  }

  /** Removes an entity to which nothing more can happen. */
  forget(kind: EntityKind, id: string): void {
    const slot = this.#slots[kind].get(id);
    if (slot) this.#remove(kind, id, slot);
  }

  /** All actors as they were before these moves (the latest is the last). Copies all tables. */
  statesBefore(moves: readonly Move[]): ActorStates {
    const states = Object.fromEntries(
      ENTITY_KINDS.map((kind) => [
        kind,
        new Map(Array.from(this.#slots[kind], ([id, { entity }]) => [id, entity])),
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
    const slot = this.#slots[kind].get(id);
    const entity = slot?.entity ?? (opens && { state: NEW, context: opens, version: 0 });
    if (!entity) {
      throw new SignalboxError(
        'illegal_transition',
        `${kind} ${id} does not exist: ${event.type} is not for it`,
      );
    }
    const transition = this.#logics[kind].select(entity.state, entity.context, event);
    if (!transition) throw this.#refusal(recipient, event);
    return { recipient, slot, entity, transition };
  }

  #take({ recipient, slot, entity, transition }: Step, event: DomainEvent, moves?: Move[]): Transition {
    const { kind, id, closes } = recipient;
    moves?.push({ kind, id, before: slot?.entity });
    const { state, context } = this.#logics[kind].take(transition, entity.state, entity.context, event);
    const version = entity.version + 1;
    const next = { state, context, version };
    if (slot && closes) this.#remove(kind, id, slot);
    else if (slot) this.#replace(kind, slot, next);
    else if (!closes) this.#add(kind, id, next);
    const from = slot ? entity.state : null;
    return { entity: kind, id, version, from, to: state, machine: MACHINE_NAMES[kind] };
  }

  #add(kind: EntityKind, id: string, entity: EntityState): void {
    if (kind === 'task') this.#settled += settledCount(entity);
    if (kind === 'attempt') this.#countAttempt(id, 1);
    this.#slots[kind].set(id, { entity });
  }

  #replace(kind: EntityKind, slot: Slot, entity: EntityState): void {
    if (kind === 'task') this.#settled += settledCount(entity) - settledCount(slot.entity);
    slot.entity = entity;
  }

  #remove(kind: EntityKind, id: string, slot: Slot): void {
    if (kind === 'task') this.#settled -= settledCount(slot.entity);
    if (kind === 'attempt') this.#countAttempt(id, -1);
    this.#slots[kind].delete(id);
  }

  #countAttempt(id: string, change: 1 | -1): void {
    const project = id.slice(0, id.indexOf('/'));
    const open = this.openAttempts(project) + change;
    if (open === 0) this.#openAttempts.delete(project);
    else this.#openAttempts.set(project, open);
  }

  #refusal({ kind, id }: Recipient, event: DomainEvent): SignalboxError {
    const state = this.get(kind, id)?.state ?? NEW;
    const legal = this.acceptedTypes(kind, id);
    return new SignalboxError(
      'illegal_transition',
      `${kind} ${id} is ${state}: ${event.type} is not possible${legal.length > 0 ? `, only ${legal.join(', ')}` : ''}`,
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

/** Whether a task is settled and has no open attempt: nothing but reading needs it in memory. */
export function isSettled({ state, context }: EntityState<'task'>): boolean {
  return SETTLED_STATES.has(state) && context.openAttempt === null;
}

function settledCount(task: EntityState): number {
  return isSettled(task as EntityState<'task'>) ? 1 : 0;
}

function noSlots(): Record<EntityKind, Map<string, Slot>> {
  return {
    task: new Map(),
    attempt: new Map(),
    workspace: new Map(),
    agent: new Map(),
    queue: new Map(),
    schedule: new Map(),
    budget: new Map(),
    supervisor: new Map(),
  };
}

function logicsOf(machines: Machines): Logics {
  return {
    task: flatLogic(machines.task),
    attempt: flatLogic(machines.attempt),
    workspace: flatLogic(machines.workspace),
    agent: flatLogic(machines.agent),
    queue: flatLogic(machines.queue),
    schedule: flatLogic(machines.schedule),
    budget: flatLogic(machines.budget),
    supervisor: flatLogic(machines.supervisor),
  };
}
