/** The state machines as graphs. */
import { graphOf } from '../../../machines/graph.ts';
import { MACHINES } from '../../../machines/index.ts';
import type { MachineGraphAnswer } from '../../contracts/api/machines.ts';
import { ENTITY_KINDS } from '../../contracts/events/events.ts';

export function listMachines(): MachineGraphAnswer[] {
  return ENTITY_KINDS.map((name) => {
    const { states, transitions } = graphOf(MACHINES[name]);
    return { name, states: [...states], transitions: [...transitions] };
  });
}
