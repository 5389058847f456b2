/** Tasks that the command line creates belong to the trace of its environment. */
import { describe, expect, it } from 'vitest';
import type { TaskAnswer } from '../../../src/contracts/api/answers.ts';
import { builtCli } from '../../support/process/build.ts';
import { startUp } from '../../support/process/cli.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const ENV = { TRACEPARENT: `00-${TRACE}-b7ad6b7169203331-01`, TRACESTATE: 'rojo=1' };

describe('the trace of the environment', () => {
  it('is the trace of the task, of its agent, and of the tasks that the agent creates', {
    timeout: 60_000,
  }, async () => {
    const cli = `'${process.execPath}' '${await builtCli()}'`;
    const handOn = `printenv TRACEPARENT TRACESTATE; ${cli} task add then --agent last --id second >&2`;
    const agents = {
      first: { driver: 'command', command: ['sh', '-c', handOn] },
      last: { driver: 'command', command: ['sh', '-c', 'printenv TRACEPARENT TRACESTATE'] },
    };
    await using up = await startUp(JSON.stringify({ agents, defaults: { review: 'auto' } }));
    const add = ['task', 'add', 'begin', '--agent', 'first', '--id', 'first'];
    expect(await up.run(add, { env: ENV })).toMatchObject({ code: 0 });
    const printed = async (id: string): Promise<string[]> => {
      const { outputs } = (await settledWithOutputs(id)) as Required<TaskAnswer>;
      return (outputs[0]?.content ?? '').trim().split('\n');
    };
    const settledWithOutputs = (id: string) =>
      up.client.settledTask({ project: 'default', task: id }, ['outputs']);
    const [first, firstState] = await printed('first');
    const [second, secondState] = await printed('second');
    expect([firstState, secondState]).toEqual(['rojo=1', 'rojo=1']);
    expect([first, second].map((each) => each?.slice(3, 35))).toEqual([TRACE, TRACE]);
    expect(new Set([ENV.TRACEPARENT, first, second]).size).toBe(3);
    // Below the attempt that asked for it.
    const { events = [] } = await up.client.readTask({
      project: 'default',
      task: 'second',
      expand: ['events'],
    });
    expect(events[0]?.event).toMatchObject({ spec: { traceparent: first } });
  });
});
