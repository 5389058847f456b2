/** Claude Code over its standard input: with a program that speaks the measured lines, and one that misbehaves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { PERMISSION_OPTIONS } from '../../../src/contracts/questions.ts';
import { CLAUDE, ConversationLab } from './conversation-lab.ts';

const bash = (command: string) => ({ ask: { tool: 'Bash', input: { command } } });

let lab: ConversationLab;
beforeEach(() => {
  lab = new ConversationLab(CLAUDE);
});
afterEach(() => lab.dispose());

describe('Claude Code', () => {
  it('asks before a tool, runs it or hears why not, and ends when its work is done', async () => {
    const run = await lab.start([bash('date'), bash('rm -r /')]);
    const first = await lab.question(1);
    expect(first).toMatchObject({
      kind: 'permission',
      about: { tool: 'Bash', input: { command: 'date' } },
      options: PERMISSION_OPTIONS,
    });
    lab.answer(run, first, { option: 'allow_once' });
    lab.answer(run, await lab.question(2), {
      action: 'declined',
      option: 'reject_once',
      comment: 'Not today.',
    });
    const end = await run.ended;
    expect(end).toMatchObject({
      result: { kind: 'exited', code: 0, ok: true },
      outputs: [{ content: 'Not today.' }],
      usage: { input_tokens: 20, output_tokens: 10, cost_usd: 0.25 },
      session: run.start.session,
    });
    expect(lab.replies()).toEqual([
      ['r-1', { behavior: 'allow', updatedInput: { command: 'date' } }],
      ['r-2', { behavior: 'deny', message: 'Not today.' }],
    ]);
    const args: string[] = JSON.parse(
      readFileSync(join(lab.directory, '1', 'work', 'arguments.json'), 'utf8'),
    );
    expect(args.join(' ')).toContain(`--session-id ${run.start.session}`);
    expect(args.slice(-6)).toEqual([
      '--allowedTools',
      'mcp__signalbox',
      '--model',
      'm1',
      '--permission-mode',
      'acceptEdits',
    ]);
    expect(args.join(' ')).toContain('"mcpServers":{"signalbox":');
  });

  it('gets a message of a user while it works, and works on after it', async () => {
    const run = await lab.start([{ silent: 300 }, { steered: true }, bash('date')]);
    const steering = run.steer?.({ id: 'm1', text: 'Be brief.', by: 'user:ann' });
    expect(await steering).toBe(true);
    lab.answer(run, await lab.question(1), { option: 'allow_once' });
    expect((await run.ended).outputs).toMatchObject([{ content: 'ran Bash' }]);
    expect(await run.steer?.({ id: 'm2', text: 'Too late.', by: 'user:ann' })).toBe(false);
    expect(lab.got().filter(({ type }) => type === 'user')).toHaveLength(2);
  });

  it('gets the answers of a choice and of a form in its own shape', async () => {
    const options = [{ label: 'Red', description: 'warm' }, { label: 'Blue' }];
    const one = { question: 'Which colour?', options };
    const two = { question: 'Which ones?', multiSelect: true, options };
    const ask = (...questions: object[]) => ({ ask: { tool: 'AskUserQuestion', input: { questions } } });
    const run = await lab.start([ask(one), ask(one, two)]);
    const choice = await lab.question(1);
    expect(choice).toMatchObject({
      kind: 'choice',
      message: 'Which colour?',
      options: [{ label: 'Red: warm' }, { id: '2' }],
    });
    lab.answer(run, choice, { option: '2' });
    const form = await lab.question(2);
    expect(form).toMatchObject({ kind: 'form', schema: { properties: { answer_2: { type: 'array' } } } });
    lab.answer(run, form, { content: { answer_1: 'Red', answer_2: ['Red', 'Blue'] } });
    expect((await run.ended).outputs).toMatchObject([
      { content: '{"Which colour?":"Red","Which ones?":"Red, Blue"}' },
    ]);
    expect(lab.replies()[0]?.[1]).toMatchObject({ updatedInput: { answers: { 'Which colour?': 'Blue' } } });
  });

  it('withdraws its question: nobody is asked any more, and the next one is another', async () => {
    const run = await lab.start([{ withdraw: { tool: 'Bash', input: { command: 'date' } } }, bash('date')]);
    const first = await lab.question(1);
    const second = await lab.question(2);
    expect(lab.withdrawn).toEqual([first.id]);
    lab.answer(run, first, { option: 'allow_once' });
    lab.answer(run, second, { option: 'allow_once' });
    await run.ended;
    expect(lab.replies().map(([id]) => id)).toEqual(['r-2']);
  });

  it('is told why it could not be asked', async () => {
    lab.refuse = new SignalboxError('invalid_request', 'not from here');
    const run = await lab.start([bash('date')]);
    expect((await run.ended).outputs).toMatchObject([{ content: expect.stringContaining('not from here') }]);
  });
});

describe('kill -9 of Signalbox', () => {
  const plan = [bash('one'), bash('two')];

  it('while it waits: the question stays, and its answer arrives once', async () => {
    const first = await lab.start(plan);
    const question = await lab.question(1);
    first.detach();
    lab.answer(null, question, { option: 'allow_once' }); // stored, and never sent
    const second = await lab.adopt(plan);
    lab.answer(second, await lab.question(2), { action: 'declined', comment: 'no' });
    expect((await second.ended).outputs).toMatchObject([{ content: 'no' }]);
    expect(lab.questions).toHaveLength(2);
    expect(lab.replies().map(([id]) => id)).toEqual(['r-1', 'r-2']);
  });

  it('after an answer: it is not sent again, and what was asked is not asked again', async () => {
    const first = await lab.start(plan);
    lab.answer(first, await lab.question(1), { option: 'allow_once' });
    const open = await lab.question(2);
    const second = await lab.adopt(plan);
    const third = await lab.adopt(plan);
    second.answer?.(lab.answer(third, open, { option: 'allow_once' }));
    expect((await third.ended).outputs).toMatchObject([{ content: 'ran Bash' }]);
    expect(lab.questions).toHaveLength(2);
    expect(lab.replies().map(([id]) => id)).toEqual(['r-1', 'r-2']);
    expect(lab.got().filter(({ type }) => type === 'user')).toHaveLength(1);
  });
});

describe('a program that misbehaves', () => {
  it('in its lines: partial ones, garbage and 50 MB take no request away and little memory', async () => {
    const before = process.memoryUsage().rss;
    const run = await lab.start([{ partial: true }, { huge: 50_000_000 }, { cut: 'Read' }, bash('date')]);
    lab.answer(run, await lab.question(1), { option: 'allow_once' });
    lab.answer(run, await lab.question(2), { option: 'allow_once' });
    expect((await run.ended).outputs).toMatchObject([{ content: 'ran Bash' }]);
    expect(lab.questions.map(({ about }) => about?.tool)).toEqual(['Read', 'Bash']);
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
  });

  it('by its exit while it waits: a failure, with its session', async () => {
    const run = await lab.start([{ silent: 100 }, { exit: 3 }]);
    const steering = run.steer?.({ id: 'm1', text: 'Hello.', by: 'user:ann' });
    const end = await run.ended;
    expect(end).toMatchObject({
      result: { kind: 'exited', code: 3 },
      outputs: [],
      session: run.start.session,
    });
    expect(await steering).toBe(false);
  });

  it('by replacing its FIFO: what was open before still works', async () => {
    const run = await lab.start([{ replace: true }, bash('date')]);
    lab.answer(run, await lab.question(1), { option: 'allow_once' });
    expect((await run.ended).outputs).toMatchObject([{ content: 'ran Bash' }]);
  });

  it('by replacing its FIFO and a restart: the run goes on and can be stopped', async () => {
    const steps = [{ replace: true }, bash('date')];
    await lab.start(steps);
    const question = await lab.question(1);
    const run = await lab.adopt(steps);
    lab.answer(run, question, { option: 'allow_once' });
    run.stop(100);
    expect((await run.ended).evidence).toMatchObject({ survivors: 0 });
    expect(lab.replies()).toEqual([]);
  });

  it('by never reading: it has given its result, and is stopped as one that lingers', async () => {
    const run = await lab.start([{ deaf: true }]);
    await run.resulted;
    run.stop(100);
    expect(await run.ended).toMatchObject({ outputs: [{ content: 'deaf' }], evidence: { survivors: 0 } });
  });

  it('by a request after its end: it is not asked', async () => {
    const run = await lab.start([{ late: true }]);
    expect((await run.ended).outputs).toMatchObject([{ content: 'late' }]);
    expect(lab.questions).toEqual([]);
  });
});
