/** Agents of the Agent Client Protocol: with one that speaks as opencode was measured. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { judged } from '../../../src/cli/driver/conformance/harness.ts';
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { acp, ConversationLab } from './conversation-lab.ts';

const bash = (command: string) => ({ ask: { command } });
const SESSION = expect.stringMatching(/^ses-\d+$/);

let lab: ConversationLab;
function given(how: object = {}, options: Record<string, string> = {}): ConversationLab {
  lab = new ConversationLab(acp(how, options));
  return lab;
}
afterEach(() => lab.dispose());

const methods = (attempt = 1) => lab.got(attempt).flatMap(({ method }) => method ?? []);
const replies = () =>
  lab.got().flatMap(({ id, method, result, error }) => (method === undefined ? [[id, result ?? error]] : []));
const outcome = (outcome: string, optionId?: string) => ({
  outcome: { outcome, ...(optionId && { optionId }) },
});
const workFile = (name: string) => join(lab.directory, '1', 'work', name);

describe('an agent over ACP', () => {
  it('opens a session, asks before a tool, runs it or not, and is ended when its turn has ended', async () => {
    const run = await given().start([bash('date'), bash('rm -r /')]);
    const first = await lab.question(1);
    expect(first).toMatchObject({
      kind: 'permission',
      message: 'May it use execute: date?',
      about: { tool: 'execute', input: { command: 'date' } },
    });
    lab.answer(run, first, { option: 'allow_always' });
    lab.answer(run, await lab.question(2), { action: 'declined', option: 'reject_once' });
    const end = await run.ended;
    expect(end).toMatchObject({
      result: { kind: 'returned' },
      outputs: [{ content: 'no' }],
      usage: { input_tokens: 25, output_tokens: 10, cost_usd: 0.25 },
      session: SESSION,
      evidence: { survivors: 0 },
    });
    expect(judged(end)).toEqual({ outcome: 'completed' });
    // "Always" is a rule of Signalbox: the agent is to ask the next time.
    expect(replies()).toEqual([
      [0, outcome('selected', 'once')],
      [1, outcome('selected', 'no')],
    ]);
    expect(lab.got().map(({ id, method }) => [id, method])).toEqual([
      ['initialize', 'initialize'],
      ['session', 'session/new'],
      ['prompt', 'session/prompt'],
      [0, undefined],
      [1, undefined],
    ]);
    const [initialize, session] = lab.got();
    expect(initialize?.params).toMatchObject({
      protocolVersion: 1,
      clientCapabilities: { elicitation: { form: {}, url: {} } },
    });
    expect(session?.params).toMatchObject({
      cwd: join(lab.directory, '1', 'work'),
      mcpServers: [{ name: 'signalbox', args: expect.arrayContaining(['mcp']) }],
    });
    expect(JSON.stringify(session?.params)).toContain('{"name":"SIGNALBOX_TOKEN","value":"secret-token"}');
    expect(readFileSync(workFile('ended'), 'utf8')).toBe('by SIGTERM');
  });

  it('gets messages of users as further turns, one after the other, and ends after the last', async () => {
    const run = await given().start([{ silent: 300 }]);
    const first = run.steer?.({ id: 'm1', text: 'Be brief.', by: 'user:ann' });
    const second = run.steer?.({ id: 'm2', text: 'Be kind.', by: 'user:ann' });
    expect(await run.steer?.({ id: 'm1', text: 'Be brief.', by: 'user:ann' })).toBe(true);
    expect(await Promise.all([first, second])).toEqual([true, true]);
    expect(await run.ended).toMatchObject({
      outputs: [{ content: 'It said: Be kind.' }],
      usage: { input_tokens: 75, cost_usd: 0.25 },
    });
    expect(methods().filter((each) => each === 'session/prompt')).toHaveLength(3);
    expect(await run.steer?.({ id: 'm3', text: 'Too late.', by: 'user:ann' })).toBe(false);
  });

  it('asks with forms and links, and gets the answers in its own shape', async () => {
    const requestedSchema = { properties: { name: { type: 'string' } }, required: ['name'] };
    const run = await given().start([
      { elicit: { mode: 'form', message: 'Who?', requestedSchema } },
      { elicit: { mode: 'url', message: 'Log in.', url: 'https://example.com/', elicitationId: 'e' } },
      {
        elicit: {
          mode: 'form',
          message: 'Nested?',
          requestedSchema: { properties: { a: { type: 'object' } } },
        },
      },
      {
        elicit: {
          mode: 'form',
          message: 'Which?',
          requestedSchema: { properties: { a: { type: 'string', pattern: '^v' } } },
        },
      },
    ]);
    const form = await lab.question(1);
    expect(form).toMatchObject({
      kind: 'form',
      message: 'Who?',
      schema: { type: 'object', required: ['name'] },
    });
    lab.answer(run, form, { content: { name: 'Ann' } });
    const link = await lab.question(2);
    expect(link).toMatchObject({ kind: 'link', url: 'https://example.com/' });
    lab.answer(run, link, { action: 'declined' });
    await run.ended;
    expect(replies()).toEqual([
      [0, { action: 'accept', content: { name: 'Ann' } }],
      [1, { action: 'decline' }],
      [2, expect.objectContaining({ code: -32_602 })],
      [
        3,
        {
          code: -32_602,
          message: expect.stringMatching(
            /requestedSchema: properties\.a\.pattern is not supported .*minLength/,
          ),
        },
      ],
    ]);
  });

  it('is told that Signalbox offers no files and no terminals, and why a question could not be asked', async () => {
    lab = given();
    lab.refuse = new SignalboxError('invalid_request', 'not from here');
    const run = await lab.start([{ call: { method: 'fs/read_text_file' } }, bash('date')]);
    expect((await run.ended).outputs).toMatchObject([{ content: 'no' }]);
    expect(replies()[0]).toEqual([
      0,
      { code: -32_601, message: 'Signalbox does not offer fs/read_text_file' },
    ]);
  });

  it.each([
    [{}, 'session/load'],
    [{ resume: true }, 'session/resume'],
  ])('continues a session (%o), and what was said in it before is no answer', async (how, method) => {
    const first = await (await given(how).start([])).ended;
    const resumes = { session: first.session ?? '', attempt: 1, usage: { cost_usd: 0.1 } };
    const second = await (await lab.start([], { attempt: 2, resumes })).ended;
    expect(second).toMatchObject({
      outputs: [{ content: 'nothing' }],
      session: first.session,
      usage: { cost_usd: 0.15 },
    });
    expect(methods(1).slice(3)).toEqual(['initialize', method, 'session/prompt']);
  });

  it('begins another session if the one before is gone', async () => {
    const resumes = { session: 'ses-gone', attempt: 1, usage: {} };
    const end = await (await given().start([], { resumes })).ended;
    expect(end).toMatchObject({ outputs: [{ content: 'nothing' }], session: SESSION });
    expect(methods()).toEqual(['initialize', 'session/load', 'session/new', 'session/prompt']);
  });

  it.each([
    [
      {
        toolCallId: 'mcp_signalbox_task_output__1',
        title: 'task_output (signalbox MCP Server)',
        kind: 'other',
      },
      0,
    ],
    [{ kind: 'other', _meta: { claudeCode: { toolName: 'mcp__signalbox__task_output' } } }, 0],
    [{ toolCallId: 'mcp_signalbox_evil_x__1', title: 'x (signalbox_evil MCP Server)', kind: 'other' }, 1],
    [{ title: 'task_output (signalbox MCP Server)', kind: 'other' }, 1],
    [{ kind: 'other', _meta: { claudeCode: { toolName: 'mcp__signalbox_evil__x' } } }, 1],
  ])('needs no permission for the tools of Signalbox, and for no others: %o', async (call, questions) => {
    const run = await given().start([{ ask: call }]);
    if (questions > 0) lab.answer(run, await lab.question(1), { option: 'allow_once' });
    expect((await run.ended).outputs).toMatchObject([{ content: 'once' }]);
    expect(lab.questions).toHaveLength(questions);
  });

  it('counts the tokens of an agent that names them elsewhere, as Gemini CLI does', async () => {
    const quota = { token_count: { input_tokens: 12, output_tokens: 3 } };
    const end = await (await given({ end: { _meta: { quota } } }).start([])).ended;
    expect(end.usage).toMatchObject({ input_tokens: 12, output_tokens: 3 });
  });

  it('gets its prompt also if it repeats a session that was loaded only after its answer', async () => {
    const first = await (await given({ repeatsLate: true }).start([])).ended;
    const resumes = { session: first.session ?? '', attempt: 1, usage: {} };
    const end = await (await lab.start([{ silent: 300 }], { attempt: 2, resumes })).ended;
    expect(end.outputs).toMatchObject([{ content: 'waited' }]);
  });

  it('gets the mode and the model of its configuration', async () => {
    await (await given({}, { mode: 'plan', model: 'm1' }).start([])).ended;
    expect(lab.got().filter(({ id }) => id === 'mode' || id === 'model')).toMatchObject([
      { method: 'session/set_mode', params: { modeId: 'plan' } },
      { method: 'session/set_model', params: { modelId: 'm1' } },
    ]);
  });
});

describe('a stop', () => {
  it('cancels the turn first, and answers what is open and what comes then as cancelled', async () => {
    const run = await given({ asksAfterCancel: true }).start([{ hang: true }]);
    await expect.poll(methods).toContain('session/prompt');
    run.stop(5_000);
    const end = await run.ended;
    expect(methods()).toContain('session/cancel');
    expect(replies()).toEqual([[0, outcome('cancelled')]]);
    expect(lab.questions).toEqual([]);
    expect(end).toMatchObject({ session: SESSION, outputs: [], evidence: { survivors: 0 } });
    expect(await run.steer?.({ id: 'm1', text: 'Too late.', by: 'user:ann' })).toBe(false);
  });

  it('while a permission is open ends it as cancelled', async () => {
    const run = await given().start([bash('date')]);
    const question = await lab.question(1);
    run.stop(5_000);
    lab.answer(run, question, { option: 'allow_once' });
    await run.ended;
    expect(replies()).toEqual([[0, outcome('cancelled')]]);
  });

  it('waits no longer than half of the grace', async () => {
    const run = await given().start([{ silent: 60_000 }]);
    await expect.poll(methods).toContain('session/prompt');
    const before = performance.now();
    run.stop(600);
    expect(await run.ended).toMatchObject({ evidence: { survivors: 0 } });
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});

describe('kill -9 of Signalbox', () => {
  const plan = [bash('one'), bash('two')];

  it('while a permission is open: the question stays, and its answer arrives once', async () => {
    const first = await given().start(plan);
    const question = await lab.question(1);
    first.detach();
    lab.answer(null, question, { option: 'allow_once' }); // stored, and never sent
    const second = await lab.adopt(plan);
    lab.answer(second, await lab.question(2), { action: 'declined', option: 'reject_once' });
    expect((await second.ended).outputs).toMatchObject([{ content: 'no' }]);
    expect(lab.questions).toHaveLength(2);
    expect(readFileSync(workFile('ran.txt'), 'utf8')).toBe('once one\nno two\n');
    expect(methods()).toEqual(['initialize', 'session/new', 'session/prompt']);
  });

  it('in a turn for a message of a user: it is waited for, and not begun again', async () => {
    const first = await given().start([]);
    const message = { id: 'm1', text: `PLAN: ${JSON.stringify([bash('after')])}`, by: 'user:ann' };
    expect(await first.steer?.(message)).toBe(true);
    const question = await lab.question(1);
    await lab.adopt([]);
    const third = await lab.adopt([]);
    expect(await third.steer?.(message)).toBe(true);
    lab.answer(third, question, { option: 'allow_once' });
    expect((await third.ended).outputs).toMatchObject([{ content: 'once' }]);
    expect(methods().filter((each) => each === 'session/prompt')).toHaveLength(2);
  });

  it('and the end of the agent meanwhile: its result counts', async () => {
    const run = await given().start([{ silent: 200 }]);
    await expect.poll(methods).toContain('session/prompt');
    run.detach();
    await expect
      .poll(() => readFileSync(join(lab.directory, '1', 'process', 'stdout.log'), 'utf8'))
      .toContain('end_turn');
    const adopted = await lab.adopt([]);
    expect(judged(await adopted.ended)).toEqual({ outcome: 'completed' });
  });
});
