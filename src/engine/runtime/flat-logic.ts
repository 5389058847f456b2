/**
 * A small interpreter for flat XState machines: one level of states, guards, and `assign`.
 *
 * XState's own interpreter computes exit sets, entry sets and eventless transitions for every event, and its actors
 * keep a mailbox, observers and a scheduler each; that is most of the cost of an event. For flat machines, the first
 * transition whose guard holds is all there is to know. docs/decisions/0003-flat-machines.md has the figures.
 *
 * A machine that is not flat is refused when it is compiled. A property test compares this interpreter with XState's.
 */
import type { AnyEventObject, AnyStateMachine } from 'xstate';
import { SignalboxError } from '../../contracts/errors.ts';

export interface FlatState<Context> {
  readonly state: string;
  readonly context: Context;
}

/** A machine, compiled. Its methods are pure. */
export interface FlatLogic<Context, Event extends AnyEventObject> {
  /** The transition that the event takes; undefined if there is none, as `can` of XState's snapshots says. */
  select(state: string, context: Context, event: Event): FlatTransition<Context> | undefined;
  /** The state and context after a transition that was selected for them. */
  take(
    transition: FlatTransition<Context>,
    state: string,
    context: Context,
    event: Event,
  ): FlatState<Context>;
  /** The types of events that a state handles, whether or not their guards hold. */
  acceptedTypes(state: string): readonly string[];
}

type Scope<Context> = { readonly context: Context; readonly event: AnyEventObject };
type Guard<Context> = (scope: Scope<Context>) => boolean;
/** Writes what an action assigns into the context that comes next. */
type Assigner<Context> = (scope: Scope<Context>, next: Context) => void;

export interface FlatTransition<Context> {
  readonly guard: Guard<Context> | null;
  /** null to stay. */
  readonly target: string | null;
  readonly assigners: readonly Assigner<Context>[];
}

type Table<Context> = ReadonlyMap<string, ReadonlyMap<string, readonly FlatTransition<Context>[]>>;

const NOTHING: readonly never[] = [];

/** @throws SignalboxError `internal` for a machine that is not flat */
export function flatLogic<Context, Event extends AnyEventObject>(
  machine: AnyStateMachine,
): FlatLogic<Context, Event> {
  const table: Table<Context> = compile(machine);
  const accepted = new Map(
    Object.entries<Node>(machine.root.states).map(([name, node]) => [name, node.ownEvents as string[]]),
  );
  return {
    select: (state, context, event) => {
      const transitions = table.get(state)?.get(event.type);
      if (!transitions) return undefined;
      const scope = { context, event };
      for (const each of transitions) if (each.guard === null || each.guard(scope)) return each;
      return undefined;
    },
    take: ({ target, assigners }, state, context, event) => {
      let now = context;
      for (const assigner of assigners) {
        const next = { ...now };
        assigner({ context: now, event }, next);
        now = next;
      }
      return { state: target ?? state, context: now };
    },
    acceptedTypes: (state) => accepted.get(state) ?? NOTHING,
  };
}

type Node = AnyStateMachine['root'];
type Definition = NonNullable<ReturnType<Node['transitions']['get']>>[number];

function compile<Context>(machine: AnyStateMachine): Table<Context> {
  const { root } = machine;
  assertPlain(machine, root, 'compound');
  const shared = transitionsOf<Context>(machine, root);
  const table = new Map<string, Map<string, readonly FlatTransition<Context>[]>>();
  for (const [name, node] of Object.entries<Node>(root.states)) {
    assertPlain(machine, node, 'atomic');
    const own = transitionsOf<Context>(machine, node);
    // The transitions of the state go first, then those of the whole machine.
    for (const [type, transitions] of shared) own.set(type, [...(own.get(type) ?? []), ...transitions]);
    table.set(name, own);
  }
  return table;
}

function assertPlain(machine: AnyStateMachine, node: Node, type: 'compound' | 'atomic'): void {
  const isPlain =
    node.type === type &&
    node.entry.length === 0 &&
    node.exit.length === 0 &&
    node.invoke.length === 0 &&
    node.after.length === 0 &&
    (node.always?.length ?? 0) === 0;
  if (!isPlain) throw notFlat(machine, `state ${node.key} is more than a name and its transitions`);
}

function transitionsOf<Context>(
  machine: AnyStateMachine,
  node: Node,
): Map<string, readonly FlatTransition<Context>[]> {
  return new Map(
    [...node.transitions].map(([type, definitions]) => [
      type,
      // XState's `can` does not count a transition that neither moves nor acts.
      definitions
        .filter(({ target, actions }) => target !== undefined || actions.length > 0)
        .map((definition) => flatten<Context>(machine, definition)),
    ]),
  );
}

function flatten<Context>(machine: AnyStateMachine, definition: Definition): FlatTransition<Context> {
  const { target = [], guard, actions } = definition;
  if (target.length > 1) throw notFlat(machine, `${definition.eventType} has several targets`);
  return {
    guard: guard === undefined ? null : guardOf(machine, guard),
    target: target[0]?.key ?? null,
    assigners: actions.map((action) => assignerOf<Context>(machine, action)),
  };
}

function guardOf<Context>(machine: AnyStateMachine, guard: unknown): Guard<Context> {
  const name = typeof guard === 'string' ? guard : undefined;
  const found = name === undefined ? guard : machine.implementations.guards[name];
  if (typeof found === 'function' && !('check' in found)) return found as Guard<Context>;
  throw notFlat(machine, `guard ${String(name)} is not a plain function`);
}

function assignerOf<Context>(machine: AnyStateMachine, action: unknown): Assigner<Context> {
  const { type } = action as { type?: string };
  const name = typeof action === 'string' ? action : type;
  const found = machine.implementations.actions[name ?? ''] as
    | { type?: string; assignment?: unknown }
    | undefined;
  if (found?.type !== 'xstate.assign') throw notFlat(machine, `action ${String(name)} is not an assign`);
  const { assignment } = found;
  if (typeof assignment === 'function')
    return (scope, next) => Object.assign(next as object, assignment(scope));
  const entries = Object.entries(assignment as Record<string, unknown>);
  return (scope, next) => {
    const written = next as Record<string, unknown>;
    for (const [key, value] of entries) written[key] = typeof value === 'function' ? value(scope) : value;
  };
}

function notFlat(machine: AnyStateMachine, why: string): SignalboxError {
  return new SignalboxError('internal', `machine ${machine.id} is not flat: ${why}`);
}
