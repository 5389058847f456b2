/**
 * The live actors: one XState actor for each entity that something can still happen to.
 *
 * H1 An event is asked of every recipient before it is sent to any (XState swallows what a state does not hear), so
 *    it moves all of them or none.
 * H2 An actor may be ahead of the log by what is in flight. Whoever wants to know what is true reads a projection.
 * H3 A settled entity is kept as plain data and woken when something is said to it again: it behaves the same.
 */
import { type Actor, createActor } from 'xstate';
import {
  type ContextOf,
  MACHINE_NAMES,
  MACHINES,
  type Recipient,
  recipientsOf,
} from '../../machines/index.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { DomainEvent, EntityKind, Transition } from '../contracts/events.ts';
import { SETTLED_STATES, type TaskState } from '../contracts/tasks.ts';
import { type FlatLogic, flatLogic, flatSnapshot } from './flat-logic.ts';

export interface EntityState<Kind extends EntityKind> {
  readonly state: string;
  readonly context: ContextOf[Kind];
  readonly version: number;
}

type Context = ContextOf[EntityKind];
type Logic = FlatLogic<Context, DomainEvent>;

const LOGICS: Readonly<Record<EntityKind, Logic>> = {
  task: flatLogic(MACHINES.task),
  attempt: flatLogic(MACHINES.attempt),
  agent: flatLogic(MACHINES.agent),
  supervisor: flatLogic(MACHINES.supervisor),
};

interface Live {
  readonly actor: Actor<Logic>;
  version: number;
}

type Found = { readonly recipient: Recipient; readonly live: Live; readonly isNew: boolean };

const NEW = 'new';

export class ActorHost {
  readonly #live: Readonly<Record<EntityKind, Map<string, Live>>> = {
    task: new Map(),
    attempt: new Map(),
    agent: new Map(),
    supervisor: new Map(),
  };
  /** How many live attempts each project has: an index over the live attempts, kept where they come and go. */
  readonly #openAttempts = new Map<string, number>();
  readonly #settledTasks = new Map<string, EntityState<'task'>>();

  /** How many entities of a kind have a live actor. Attempts have one only while they are open. */
  count(kind: EntityKind): number {
    return this.#live[kind].size;
  }

  /** Attempts of a project that are open. */
  openAttempts(project: string): number {
    return this.#openAttempts.get(project) ?? 0;
  }

  get<Kind extends EntityKind>(kind: Kind, id: string): EntityState<Kind> | undefined {
    const live = this.#live[kind].get(id);
    if (!live)
      return kind === 'task' ? (this.#settledTasks.get(id) as EntityState<Kind> | undefined) : undefined;
    const { value, context } = live.actor.getSnapshot();
    return { state: value, context: context as ContextOf[Kind], version: live.version };
  }

  /** Ids of the entities of a kind that are live, in the order in which they came. */
  liveIds(kind: EntityKind): Iterable<string> {
    return this.#live[kind].keys();
  }

  /** The types of events that the entity hears in its present state; empty for one that is not there. */
  heard(kind: EntityKind, id: string): readonly string[] {
    const state = this.get(kind, id)?.state;
    return state === undefined
      ? []
      : (MACHINES[kind].states[state as never] as { ownEvents: string[] }).ownEvents;
  }

  /**
   * Sends the event to all who hear it.
   * @returns what it changed. @throws SignalboxError `illegal_transition`, and then nothing has changed.
   */
  apply(event: DomainEvent): Transition[] {
    const found = recipientsOf(event).map((recipient) => this.#find(recipient, event));
    for (const { recipient, live } of found) {
      if (!LOGICS[recipient.kind].can(live.actor.getSnapshot(), event))
        throw this.#refusal(recipient, live, event);
    }
    return found.map((each) => this.#send(each, event));
  }

  #find(recipient: Recipient, event: DomainEvent): Found {
    const { kind, id, opens } = recipient;
    const live = this.#live[kind].get(id);
    if (live) return { recipient, live, isNew: false };
    const settled = kind === 'task' ? this.#settledTasks.get(id) : undefined;
    if (settled) return { recipient, live: wake(kind, settled), isNew: false };
    if (opens === undefined) {
      throw new SignalboxError(
        'illegal_transition',
        `${kind} ${id} does not exist: ${event.type} is not for it`,
      );
    }
    return { recipient, live: wake(kind, { state: NEW, context: opens, version: 0 }), isNew: true };
  }

  #send({ recipient, live, isNew }: Found, event: DomainEvent): Transition {
    const { kind, id } = recipient;
    const from = live.actor.getSnapshot().value;
    live.actor.send(event);
    const { value, context } = live.actor.getSnapshot();
    live.version++;
    if (recipient.closes) this.#drop(kind, id, live);
    else if (kind === 'task' && isSettled(value, context as ContextOf['task'])) {
      this.#drop(kind, id, live);
      this.#settledTasks.set(id, {
        state: value,
        context: context as ContextOf['task'],
        version: live.version,
      });
    } else {
      if (isNew && kind === 'attempt') this.#countAttempt(id, 1);
      this.#live[kind].set(id, live);
      if (kind === 'task') this.#settledTasks.delete(id);
    }
    return {
      entity: kind,
      id,
      version: live.version,
      from: isNew ? null : from,
      to: value,
      machine: MACHINE_NAMES[kind],
    };
  }

  #drop(kind: EntityKind, id: string, live: Live): void {
    live.actor.stop();
    if (this.#live[kind].delete(id) && kind === 'attempt') this.#countAttempt(id, -1);
  }

  #countAttempt(id: string, change: 1 | -1): void {
    const project = id.slice(0, id.indexOf('/'));
    this.#openAttempts.set(project, this.openAttempts(project) + change);
  }

  #refusal(recipient: Recipient, live: Live, event: DomainEvent): SignalboxError {
    const state = live.actor.getSnapshot().value;
    const legal = this.heard(recipient.kind, recipient.id);
    return new SignalboxError(
      'illegal_transition',
      `${recipient.kind} ${recipient.id} is ${state}: ${event.type} is not possible there${legal.length > 0 ? `, only ${legal.join(', ')}` : ''}`,
      { details: { entity: recipient.kind, id: recipient.id, state, event: event.type, legal } },
    );
  }
}

function isSettled(state: string, context: ContextOf['task']): boolean {
  return SETTLED_STATES.has(state as TaskState) && context.openAttempt === null;
}

function wake(kind: EntityKind, { state, context, version }: EntityState<EntityKind>): Live {
  const actor = createActor(LOGICS[kind], {
    snapshot: flatSnapshot(state, context),
    input: undefined as never,
  });
  actor.start();
  return { actor, version };
}
