/**
 * A machine as a graph: its states, and which event leads from one to another. It is read from the machine itself and
 * has every change of state that the machine can make. Transitions that stay in a state are left out.
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
  /** Name of the condition, or null. Of several transitions for one event the first whose condition holds counts. */
  readonly guard: string | null;
}

export interface MachineGraph {
  readonly states: readonly GraphState[];
  /** In the order in which the machine tries them. */
  readonly transitions: readonly GraphTransition[];
}

type Node = AnyStateMachine['root'];

/** @param machine a flat one: without nested or parallel states */
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

/** The transitions of a state, then those that the machine has for every state. */
function leaving(from: string, node: Node, root: Node): GraphTransition[] {
  return [...node.transitions.values(), ...root.transitions.values()].flat().flatMap((definition) => {
    const to = definition.target?.[0]?.key ?? from;
    return to === from ? [] : { from, to, event: definition.eventType, guard: guardName(definition.guard) };
  });
}

/** All guards of our machines have names. */
function guardName(guard: unknown): string | null {
  return typeof guard === 'string' ? guard : null;
}
