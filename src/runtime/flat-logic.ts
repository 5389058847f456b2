/**
 * The logic of our XState machines for XState actors, without the parts of XState that they do not use.
 *
 * XState's own interpreter computes exit sets, entry sets and eventless transitions for every event; that is most of
 * what an event costs. Our machines are flat: one level of states, guards, `assign`. For those, the first transition
 * whose guard holds is all there is to know. Guards, targets and assignments are taken from the machine itself, and
 * docs/decisions/0003-flat-machines.md has the figures.
 *
 * X1 A machine that is not flat is refused when it is compiled, not misread later.
 * X2 For every state and event it does what XState does; a property test compares the two.
 */
import type { ActorLogic, AnyEventObject, AnyStateMachine, Snapshot } from 'xstate';
import { SignalboxError } from '../contracts/errors.ts';

export type FlatSnapshot<Context> = Extract<Snapshot<unknown>, { status: 'active' }> & {
  readonly value: string;
  readonly context: Context;
};

/** Logic for `createActor`, and the question that XState's snapshots answer with `can`. */
export type FlatLogic<Context, Event extends AnyEventObject> = ActorLogic<
  FlatSnapshot<Context>,
  Event,
  FlatSnapshot<Context>
> & {
  /** Whether the event would do anything. */
  can(snapshot: FlatSnapshot<Context>, event: Event): boolean;
};

type Scope<Context> = { readonly context: Context; readonly event: AnyEventObject };
type Guard<Context> = (scope: Scope<Context>) => boolean;
type Assigner<Context> = (scope: Scope<Context>) => Partial<Context>;

interface FlatTransition<Context> {
  readonly guard: Guard<Context> | null;
  /** null to stay. */
  readonly target: string | null;
  readonly assigners: readonly Assigner<Context>[];
}

type Table<Context> = ReadonlyMap<string, ReadonlyMap<string, readonly FlatTransition<Context>[]>>;

export function flatSnapshot<Context>(value: string, context: Context): FlatSnapshot<Context> {
  return { status: 'active', output: undefined, error: undefined, value, context };
}

/** @throws SignalboxError `internal` for a machine that is not flat */
export function flatLogic<Context, Event extends AnyEventObject>(
  machine: AnyStateMachine,
): FlatLogic<Context, Event> {
  const table: Table<Context> = compile(machine);
  const select = (snapshot: FlatSnapshot<Context>, event: Event): FlatTransition<Context> | undefined =>
    table
      .get(snapshot.value)
      ?.get(event.type)
      ?.find(({ guard }) => guard === null || guard({ context: snapshot.context, event }));
  return {
    can: (snapshot, event) => select(snapshot, event) !== undefined,
    transition: (snapshot, event) => {
      const chosen = select(snapshot, event);
      if (!chosen) return snapshot;
      let { context } = snapshot;
      for (const assigner of chosen.assigners) context = { ...context, ...assigner({ context, event }) };
      return flatSnapshot(chosen.target ?? snapshot.value, context);
    },
    getInitialSnapshot: (_scope, input) => input,
    getPersistedSnapshot: (snapshot) => snapshot,
    restoreSnapshot: (snapshot) => snapshot as FlatSnapshot<Context>,
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
    // A state's own transitions go first; where none of them holds, those of the whole machine are asked.
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
  if (typeof assignment === 'function') return assignment as Assigner<Context>;
  const entries = Object.entries(assignment as Record<string, unknown>);
  return (scope) =>
    Object.fromEntries(
      entries.map(([key, value]) => [key, typeof value === 'function' ? value(scope) : value]),
    ) as Partial<Context>;
}

function notFlat(machine: AnyStateMachine, why: string): SignalboxError {
  return new SignalboxError('internal', `machine ${machine.id} is not flat: ${why}`);
}
