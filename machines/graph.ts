/**
 * A machine as a graph: its states, and which event leads from one to another. It is read from the machine itself and
 * has every change of state that the machine can make. Transitions that stay in a state are left out.
 */
import type { AnyStateMachine } from 'xstate';
import type { MachineGraphAnswer } from '../src/contracts/api/machines.ts';

export type MachineGraph = Omit<MachineGraphAnswer, 'name'>;
type GraphTransition = MachineGraph['transitions'][number];

type Node = AnyStateMachine['root'];

/** @param machine a flat one: without nested or parallel states */
export function graphOf({ root }: AnyStateMachine): MachineGraph {
  const nodes = Object.entries<Node>(root.states);
  const transitions = nodes.flatMap(([from, node]) => leaving(from, node, root));
  const initial = root.initial.target[0]?.key;
  const states = nodes.map(([name]): MachineGraph['states'][number] => {
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
