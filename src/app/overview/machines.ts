/** The machines that decide, to be looked at. */
import { graphOf } from '../../../machines/graph.ts';
import { MACHINES } from '../../../machines/index.ts';
import { ENTITY_KINDS } from '../../contracts/events/events.ts';
import type { Json } from '../tasks/task-json.ts';

/** Each as a graph that is read from the machine itself. */
export function listMachines(): readonly Json[] {
  return ENTITY_KINDS.map((name) => ({ name, ...graphOf(MACHINES[name]) }));
}
