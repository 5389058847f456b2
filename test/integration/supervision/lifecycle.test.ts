import { describe, expect, it } from 'vitest';
import { functionAgent, startEngine } from '../../support/engine.ts';
import { MemoryLog } from '../../support/memory-journal.ts';

describe('the life of a task with a function agent', () => {
  it('goes from creation to done in six events, in the order of the state machine', async () => {
    await using test = await startEngine({
      agents: [functionAgent('echo', ({ spec }) => `did ${spec.title}`)],
    });
    const created = await test.create({ agent: 'echo', title: 'say hello' });
    const done = await test.until(created.id, (task) => task.state === 'done');

    expect(done.outputs.map(({ content }) => content)).toEqual(['did say hello']);
    const history = await test.history(done);
    expect(history.map(({ event }) => event.type)).toEqual([
      'task.created',
      'task.claimed',
      'attempt.started',
      'task.output_added',
      'attempt.ended',
      'task.approved',
    ]);
    const states = history.flatMap(({ transitions }) =>
      transitions.filter(({ entity }) => entity === 'task'),
    );
    expect(states.map(({ from, to, version }) => `${from}→${to}@${version}`)).toEqual([
      'null→pending@1',
      'pending→claimed@2',
      'claimed→working@3',
      'working→working@4',
      'working→review@5',
      'review→done@6',
    ]);
  });

  it('retries what failed, tells the next attempt why, and gives up after max_attempts', async () => {
    const prompts: string[] = [];
    const agents = [
      functionAgent('flaky', ({ attempt, prompt }) => {
        prompts.push(prompt());
        if (attempt < 3) throw new Error(`broke at ${attempt}`);
        return 'well';
      }),
    ];
    await using test = await startEngine({ agents });
    const good = await test.create({ agent: 'flaky', max_attempts: 3 });
    await test.until(good.id, (task) => task.state === 'done');
    expect(prompts[2]).toContain('broke at 1');
    expect(prompts[2]).toContain('broke at 2');

    const bad = await test.create({ agent: 'flaky', max_attempts: 2 });
    const failed = await test.until(bad.id, (task) => task.state === 'failed');
    expect(failed).toMatchObject({ attempts: 2, lastOutcome: 'failed', reason: 'broke at 2' });
  });

  it('is rebuilt from the log with equal projections', async () => {
    const log = new MemoryLog();
    const agents = [functionAgent('echo', () => 'x', { concurrency: 4 })];
    const first = await startEngine({ agents }, log);
    for (let index = 0; index < 20; index++) await first.create({ agent: 'echo', id: `t${index}` });
    for (let index = 0; index < 20; index++) await first.until(`t${index}`, (task) => task.state === 'done');
    await first[Symbol.asyncDispose]();
    const before = first.engine.projections.toText();

    await using second = await startEngine({ agents }, log);
    expect(second.engine.projections.toText() === before).toBe(true);
  });
});
