import { describe, expect, it } from 'vitest';
import { printable } from '../../../src/base/text/printable.ts';
import { openLiveView } from '../../../src/cli/demo/live-view.ts';
import { functionAgent, startEngine } from '../../support/engine.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

const agents = [functionAgent('echo', () => 'did it')];

describe('the live view of the demo', () => {
  it('prints a line for each event if the output is not a terminal', async () => {
    await using test = await startEngine({ agents });
    const terminal = new RecordedTerminal();
    const view = openLiveView(terminal, test.app);
    await test.create({ id: 't1', agent: 'echo' });
    await test.until('t1', ({ state }) => state === 'done');
    view.close();
    await test.create({ id: 't2', agent: 'echo' });
    const lines = terminal.out.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^t1 +\d\d:\d\d:\d\d +pending +task.created +by test$/);
    expect(lines.map((line) => /(?:task|attempt)\.\w+/.exec(line)?.[0])).toEqual([
      'task.created',
      'task.claimed',
      'attempt.started',
      'task.output_added',
      'attempt.ended',
      'task.approved',
    ]);
  });

  it('redraws a table on a terminal, and restores the cursor', async () => {
    await using test = await startEngine({ agents });
    await test.create({ id: 't1', agent: 'echo', title: 'a title that is far too long for this terminal' });
    await test.until('t1', ({ state }) => state === 'done');
    const terminal = new RecordedTerminal(50);
    const view = openLiveView(terminal, test.app);
    view.close();
    view.close();
    const [first = '', second = '', ...more] = printable(terminal.out).split('␛[2A␍');
    expect(more).toEqual([]);
    expect(first).toMatch(/^␛\[\?25l␛\[2K<dim>TASK/);
    expect(second).toMatch(/\n␛\[2Kt1 +echo +<green>done *<\/green> +1\/4 +\d+ ms +a title.*…\n␛\[\?25h$/);
  });
});
