/** Agents are added, changed and removed while Signalbox runs. */
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { AgentAnswer } from '../../../src/contracts/api/answers.ts';
import { builtCli } from '../../support/process/build.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const TASKS = '/api/projects/demo/tasks';
const echo = { driver: 'command', command: ['echo', 'done'], review: 'auto' };
const sleeper = { driver: 'command', command: ['sleep', '600'] };

describe('a changed configuration', () => {
  it('adds, changes and removes agents without a restart, and touches no running attempt', async () => {
    const before = { agents: { old: echo, changed: { ...echo, concurrency: 1 }, busy: sleeper } };
    await using sandbox = await Sandbox.create({ config: before });
    await sandbox.up();
    const agents = async (): Promise<AgentAnswer[]> =>
      (await sandbox.get<{ agents: AgentAnswer[] }>('/api/agents')).agents;
    const statusOf = async (id: string): Promise<string> =>
      (await sandbox.get<{ status: string }>(`${TASKS}/${id}`)).status;
    await sandbox.post(TASKS, { id: 'runs', title: 'Runs', agent: 'busy' });
    await until(async () => (await statusOf('runs')) === 'working', 'the attempt runs');
    await sandbox.post(TASKS, { id: 'waits', title: 'Waits', type: 'later', review: 'auto' });

    await sandbox.configure({
      limits: { queue_depth: 77 },
      agents: { changed: { ...echo, concurrency: 3 }, added: { ...echo, capabilities: ['later'] } },
    });
    const { stdout } = await execa(process.execPath, [await builtCli(), 'config', 'reload'], {
      cwd: sandbox.directory,
    });
    expect(stdout).toContain(`told process ${sandbox.pid} to reload`);
    await until(async () => (await statusOf('waits')) === 'done', 'the new agent has taken what waited');
    expect((await agents()).map(({ id, concurrency }) => [id, concurrency])).toEqual([
      ['changed', 3],
      ['busy', 1],
      ['added', 1],
    ]);
    for (const line of [
      'agent old removed',
      'agent changed: concurrency 1 → 3',
      'agent added added',
      'agent busy has open attempts and stays',
      'limits: a change needs a restart',
    ]) {
      expect(sandbox.log).toContain(line);
    }
    expect(await statusOf('runs')).toBe('working');
    const refused = await sandbox.post(TASKS, { title: 'For nobody', agent: 'old' });
    expect(refused.status).toBe(404);

    // A file with errors changes nothing.
    await sandbox.configure({ agents: { broken: { driver: 'no-such-driver' } } });
    sandbox.signal('SIGHUP');
    await until(() => sandbox.log.includes('the earlier one stays in force'), 'the error is logged');
    expect((await agents()).map(({ id }) => id)).toEqual(['changed', 'busy', 'added']);
    // The log replays to the same state.
    await sandbox.kill('SIGKILL');
    await sandbox.configure({ agents: { changed: echo, busy: sleeper } });
    await sandbox.up();
    expect(await statusOf('waits')).toBe('done');
  });

  it('has its templates at once, from which tasks are created', async () => {
    await using sandbox = await Sandbox.create({ config: { agents: { echo } } });
    await sandbox.up();
    const cli = await builtCli();
    const run = (...args: string[]) =>
      execa(process.execPath, [cli, ...args], {
        cwd: sandbox.directory,
        env: { SIGNALBOX_URL: sandbox.url },
        reject: false,
      });
    expect((await run('template', 'ls')).stderr).toContain('no templates: add some below "templates"');
    const templates = {
      shout: {
        project: 'demo',
        about: 'Says it loudly',
        inputs: { what: {}, mark: { default: '!' } },
        task: {
          title: 'Shout {{what}}{{mark}}',
          agent: 'echo',
          budget: { attempts: 3 },
          labels: { loud: 'yes' },
        },
      },
    };
    await sandbox.configure({ templates, agents: { echo } });
    await run('config', 'reload');
    await until(() => sandbox.log.includes('templates changed'), 'the templates are there');
    expect((await run('template', 'ls')).stdout).toMatch(
      /^shout +what, mark=! +demo +Shout \{\{what\}\}\{\{mark\}\} +Says it loudly$/m,
    );

    const missing = await run('task', 'add', '--template', 'shout');
    expect(missing).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('inputs.what: is missing'),
    });
    expect((await run('task', 'add', '--input', 'what=x', 'title')).stderr).toContain(
      '--input is for --template',
    );
    const added = await run(
      'task',
      'add',
      '--template',
      'shout',
      '--input',
      'what=hey',
      '--id',
      'loud',
      '--wait',
    );
    expect(added.exitCode).toBe(0);
    expect(await sandbox.get(`${TASKS}/loud`)).toMatchObject({
      title: 'Shout hey!',
      labels: { loud: 'yes' },
      source: 'template shout',
      status: 'done',
    });

    // The same again, but for what was about that one alone.
    const again = await run(
      'task',
      'add',
      'Louder',
      '--copy',
      'loud',
      '--project',
      'demo',
      '--id',
      'louder',
      '-q',
    );
    expect(again.stdout).toBe('louder');
    expect(await sandbox.get(`${TASKS}/louder`)).toMatchObject({
      title: 'Louder',
      agent: 'echo',
      labels: { loud: 'yes' },
      budget: { attempts: 3 },
      source: 'copy of loud',
    });
  });
});
