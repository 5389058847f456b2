/** What a dashboard draws. */
import { describe, expect, it } from 'vitest';
import { machineListSchema } from '../../src/contracts/machines.ts';
import { functionAgent } from '../support/engine.ts';
import { Gate, startHttp } from '../support/http.ts';

const start = () => startHttp({ agents: [functionAgent('worker', new Gate().handler)] });

describe('the machines over HTTP', () => {
  it('are all there, as graphs', async () => {
    await using http = await start();
    const { machines } = machineListSchema.parse((await http.get('/api/machines')).body);
    expect(machines.map(({ name }) => name)).toEqual(['task', 'attempt', 'agent', 'supervisor']);
    const [task] = machines;
    expect(task?.states).toContainEqual({ name: 'done', kind: 'final' });
    expect(task?.transitions).toContainEqual({
      from: 'pending',
      to: 'claimed',
      event: 'task.claimed',
      guard: 'isClaimable',
    });
  });
});
