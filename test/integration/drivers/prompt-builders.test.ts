import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema/config.ts';
import { ProjectPrompts } from '../../../src/daemon/prompt-builders.ts';
import { functionAgent, startEngine } from '../../support/engine.ts';

const directory = mkdtempSync(join(tmpdir(), 'signalbox-prompts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function fifo(name: string): string {
  const path = join(directory, name);
  execFileSync('mkfifo', [path]);
  return path;
}

/** What the second attempt of a task was told, after one that failed; and what was logged. */
async function told(project: Record<string, unknown>): Promise<{ prompt: string; warnings: string[] }> {
  const warnings: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const { projects } = configSchema.parse({ projects: { demo: project } });
  const prompts: string[] = [];
  const agent = functionAgent('worker', ({ prompt }) => {
    prompts.push(prompt());
    if (prompts.length === 1) throw new Error('no disk left');
    return 'done';
  });
  await using engine = await startEngine({
    agents: [agent],
    prompts: new ProjectPrompts({ projects, logger, env: process.env }),
  });
  await engine.create({ id: 't', agent: 'worker', title: 'the $& title', description: 'do it' });
  await engine.until('t', ({ state }) => state === 'done');
  return { prompt: prompts[1] ?? '', warnings };
}

describe('the prompt of a project', () => {
  it('is built from its template', async () => {
    const prompt_template = file(
      'a.md',
      'Hello {{agent}}: {{ title }} ({{task_id}}, {{attempt}})\n{{earlier}}\n{{lifecycle}}',
    );
    const { prompt, warnings } = await told({ prompt_template });
    expect(prompt).toMatch(
      /^Hello worker: the \$& title \(t, 2\)\n## Earlier attempts\n- Attempt 1 \(worker\): failed: no disk left/,
    );
    expect(warnings).toEqual([]);
  });

  it('is built by its module', async () => {
    const prompt_builder = file(
      'b.mjs',
      'export default async (facts) => [facts.task.title, ": ", facts.earlier[0].error, "\\n", facts.sections.lifecycle].join("");',
    );
    expect((await told({ prompt_builder })).prompt).toMatch(
      /^the \$& title: no disk left\n## Task lifecycle/,
    );
  });

  it('is built by its program', async () => {
    const script =
      'let s="";process.stdin.on("data",d=>s+=d).on("end",()=>process.stdout.write(JSON.parse(s).task.description+"!\\n"))';
    expect((await told({ prompt_builder: ['node', '-e', script] })).prompt).toBe('do it!\n');
  });

  it.each<[string, () => Record<string, unknown>, RegExp]>([
    [
      'a template that is not there',
      () => ({ prompt_template: join(directory, 'none.md') }),
      /there is no file .*none\.md/,
    ],
    [
      'a template with an unknown placeholder',
      () => ({ prompt_template: file('c.md', '{{titel}}') }),
      /\{\{titel\}\} is no placeholder; there are title/,
    ],
    [
      'a module that throws',
      () => ({ prompt_builder: file('d.mjs', 'export default () => { throw new Error("boom"); };') }),
      /boom/,
    ],
    [
      'a module without a function',
      () => ({ prompt_builder: file('e.mjs', 'export const x = 1;') }),
      /no function as its default/,
    ],
    [
      'a module that says nothing',
      () => ({ prompt_builder: file('f.mjs', 'export default () => 3;') }),
      /returned no text/,
    ],
    [
      'a module that never ends',
      () => ({
        prompt_builder: file('g.mjs', 'export default () => new Promise(() => {});'),
        prompt_timeout_seconds: 0.05,
      }),
      /longer than 0.05 s/,
    ],
    [
      'a FIFO in the place of its module',
      () => ({ prompt_builder: fifo('h.mjs') }),
      /h\.mjs is not a regular file/,
    ],
    [
      'a FIFO in the place of its template',
      () => ({ prompt_template: fifo('i.md') }),
      /i\.md is not a regular file/,
    ],
    ['a program that fails', () => ({ prompt_builder: ['sh', '-c', 'echo bad >&2; exit 3'] }), /bad/],
    [
      'a program that hangs',
      () => ({ prompt_builder: ['sleep', '60'], prompt_timeout_seconds: 0.1 }),
      /timed out/,
    ],
    ['a program that is not there', () => ({ prompt_builder: ['no-such-program-at-all'] }), /ENOENT/],
  ])('is the built-in one after %s, and the log has the reason', async (_what, project, why) => {
    const { prompt, warnings } = await told(project());
    expect(prompt).toMatch(/^# Task: the \$& title\n/);
    expect(warnings).toHaveLength(2);
    expect(JSON.parse(warnings[1] ?? '')).toMatchObject({
      project: 'demo',
      task: 't',
      attempt: 2,
      agent: 'worker',
      why: expect.stringMatching(why),
    });
  });
});
