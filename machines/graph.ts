/**
 * A machine as a graph: its states, and which event leads from one to another. It is read from the machine itself, so
 * a picture of it shows what decides.
 *
 * D1 Every change of state that the machine can make is in its graph. What leaves the state as it is, is not.
 */
import type { AnyStateMachine } from 'xstate';

export interface GraphState {
  readonly name: string;
  /** `initial`: before the first event. `final`: nothing leads out of it any more. */
  readonly kind: 'initial' | 'normal' | 'final';
}

export interface GraphTransition {
  readonly from: string;
  readonly to: string;
  /** Type of the event. */
  readonly event: string;
  /** Name of the condition; null where there is none. Of several for one event the first that holds counts. */
  readonly guard: string | null;
}

export interface MachineGraph {
  readonly states: readonly GraphState[];
  /** In the order in which the machine looks at them. */
  readonly transitions: readonly GraphTransition[];
}

type Node = AnyStateMachine['root'];

/** @param machine a flat one, as ours are (flat-logic.ts X1) */
export function graphOf({ root }: AnyStateMachine): MachineGraph {
  const nodes = Object.entries<Node>(root.states);
  const transitions = nodes.flatMap(([from, node]) => leaving(from, node, root));
  const initial = root.initial.target[0]?.key;
  const states = nodes.map(([name]): GraphState => {
    if (name === initial) return { name, kind: 'initial' };
    return { name, kind: transitions.some(({ from }) => from === name) ? 'normal' : 'final' };
  });
  return { states, transitions };
}

/** A state's own transitions, then those that the whole machine has for every state. */
function leaving(from: string, node: Node, root: Node): GraphTransition[] {
  return [...node.transitions.values(), ...root.transitions.values()].flat().flatMap((definition) => {
    const to = definition.target?.[0]?.key ?? from;
    return to === from ? [] : { from, to, event: definition.eventType, guard: guardName(definition.guard) };
  });
}

/** Ours are all named in `setup`. */
function guardName(guard: unknown): string | null {
  return typeof guard === 'string' ? guard : null;
}
