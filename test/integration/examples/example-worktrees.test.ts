/** The example of three agents that work on one repository at the same time, and a fourth that reviews. */
import { describe, expect, it } from 'vitest';
import { createSignalbox } from '../../../src/index.ts';

const { run } = await import('../../../examples/worktrees/run.mjs' as string);

describe('the example of worktrees', () => {
  it('merges the work of all three, after conflicts that their agents resolve', {
    timeout: 180_000,
  }, async () => {
    const said: string[] = [];
    const { tasks, authors } = await run(createSignalbox, (line: string) => said.push(line));
    expect(tasks.map(({ status }: { status: string }) => status)).toEqual(['done', 'done', 'done']);
    expect(authors.trim().split('\n').toSorted()).toEqual(['The authors:', 'ada', 'grace', 'linus']);
    expect(said.join('\n')).toContain('The work was approved, but it cannot be merged into main');
  });
});
