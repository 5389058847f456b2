/** How tasks, attempts, agents and the supervisor can move. */
import { listMachines } from '../../app/overview/machines.ts';
import { machineListSchema } from '../../contracts/api/machines.ts';
import { json, nothing, nowhere, type Serve } from '../operation.ts';

export function serveMachines(serve: Serve): void {
  serve({
    name: 'listMachines',
    group: 'System',
    summary: 'The state machines as graphs: states, and which event leads from one to another',
    access: 'read',
    method: 'GET',
    path: '/api/machines',
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: { 200: json(machineListSchema, 'The machines.') },
    handle: async () => ({ status: 200, body: { machines: listMachines() } }),
  });
}
