import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../../src/contracts/errors.ts';
import { templateConfigSchema, templateListSchema } from '../../../../src/contracts/templates.ts';
import { functionAgent } from '../../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, taskIn } from '../../../support/http/http.ts';

const review = templateConfigSchema.parse({
  about: 'Reviews a file',
  inputs: { file: { about: 'its path' }, depth: { default: '2' } },
  task: {
    title: 'Review {{file}}',
    description: 'Go {{depth}} levels deep into `{{file}}`. Keep { } of others.',
    agent: 'echo',
    type: 'code_review',
    priority: 'high',
    params: { file: '{{file}}', nested: [{ depth: '{{depth}}' }], count: 3 },
    labels: { team: 'core' },
    must_haves: ['a verdict on {{file}}'],
    follow_ups: [{ title: 'Publish {{title}} of {{file}}', agent: 'worker' }],
    delay_seconds: 60,
  },
});
const plain = templateConfigSchema.parse({ project: 'elsewhere', task: { title: 'Daily', type: 'report' } });

const start = () =>
  startHttp({
    agents: [functionAgent('worker', new Gate().handler), functionAgent('echo', () => 'x')],
    templates: () => ({ review, plain }),
  });
const REVIEW = '/api/projects/demo/templates/review';

describe('templates over HTTP', () => {
  it('are listed with their inputs and what they would create', async () => {
    await using http = await start();
    const { templates } = templateListSchema.parse((await http.get('/api/templates')).body);
    expect(templates).toMatchObject([
      {
        id: 'review',
        about: 'Reviews a file',
        project: null,
        inputs: [
          { name: 'file', about: 'its path', default: null },
          { name: 'depth', about: '', default: '2' },
        ],
        task: { title: 'Review {{file}}', priority: 10 },
      },
      { id: 'plain', project: 'elsewhere', inputs: [] },
    ]);
  });

  it('fill in their inputs in every text, and leave what follow-ups fill in later', async () => {
    await using http = await start();
    const created = taskIn(await http.post(REVIEW, { inputs: { file: 'a {{depth}}.ts' } }), 201);
    expect(created).toMatchObject({
      title: 'Review a {{depth}}.ts',
      description: 'Go 2 levels deep into `a {{depth}}.ts`. Keep { } of others.',
      agent: 'echo',
      type: 'code_review',
      priority: 10,
      params: { file: 'a {{depth}}.ts', nested: [{ depth: '2' }], count: 3 },
      labels: { team: 'core' },
      must_haves: ['a verdict on a {{depth}}.ts'],
      source: 'template review',
      status: 'scheduled',
      follow_ups: [{ title: 'Publish {{title}} of a {{depth}}.ts' }],
    });
  });

  it('give way to fields that are given; labels and parameters are put together; a type stands for any agent', async () => {
    await using http = await start();
    const given = {
      inputs: { file: 'b.ts', depth: '9' },
      title: 'Look at it',
      type: 'quick_look',
      labels: { round: '2' },
      params: { count: 4 },
      source: 'the night shift',
      id: 'mine',
    };
    const created = taskIn(await http.post(REVIEW, given), 201);
    expect(created).toMatchObject({
      id: 'mine',
      title: 'Look at it',
      description: expect.stringContaining('9 levels'),
      agent: null,
      type: 'quick_look',
      labels: { team: 'core', round: '2' },
      params: { file: 'b.ts', count: 4 },
      source: 'the night shift',
    });
    // The same request again creates nothing.
    const before = http.events;
    expect(taskIn(await http.post(REVIEW, given), 200).id).toBe('mine');
    expect(http.events).toBe(before);
  });

  it('name inputs that are missing or unknown, and templates that are not there', async () => {
    await using http = await start();
    const before = http.events;
    const refused = async (path: string, body: object, status: number, code: ErrorCode): Promise<string> =>
      problemIn(await http.post(path, body), status, code).detail;
    expect(await refused(REVIEW, {}, 400, 'invalid_request')).toBe(
      'inputs.file: is missing: template review needs it',
    );
    expect(await refused(REVIEW, { inputs: { file: 'x', colour: 'red' } }, 400, 'invalid_request')).toBe(
      'inputs.colour: template review has no such input; it has: file, depth',
    );
    expect(await refused(REVIEW.replace('review', 'ghost'), {}, 404, 'template_not_found')).toBe(
      'there is no template ghost; the configuration has: review, plain',
    );
    expect(await refused(REVIEW, { inputs: { file: 'x'.repeat(600) } }, 400, 'invalid_request')).toContain(
      'title: ',
    );
    expect(http.events).toBe(before);
  });

  it('create children of the own task for an attempt, in its own project only', async () => {
    await using http = await start();
    await http.working('a');
    const token = http.token('a');
    const child = taskIn(await http.post(REVIEW, { inputs: { file: 'x' } }, { token }), 201);
    expect(child).toMatchObject({ parent: 'a', project: 'demo' });
    const elsewhere = await http.post('/api/projects/elsewhere/templates/plain', {}, { token });
    problemIn(elsewhere, 403, 'forbidden');
    const { project } = taskIn(await http.post('/api/projects/demo/templates/plain', {}), 201);
    expect(project).toBe('demo');
    expect(taskIn(await http.get(`${TASKS}/${child.id}`)).parent).toBe('a');
  });
});
