/** Agents of the Agent Client Protocol that misbehave. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { judged } from '../../../src/cli/driver/conformance/harness.ts';
import { acp, ConversationLab } from './conversation-lab.ts';

const bash = (command: string) => ({ ask: { command } });
const SESSION = expect.stringMatching(/^ses-\d+$/);

let lab: ConversationLab;
function given(how: object = {}, options: Record<string, string> = {}): ConversationLab {
  lab = new ConversationLab(acp(how, options));
  return lab;
}
afterEach(() => lab.dispose());

const replies = () =>
  lab.got().flatMap(({ id, method, result, error }) => (method === undefined ? [[id, result ?? error]] : []));
const outcome = (outcome: string, optionId?: string) => ({
  outcome: { outcome, ...(optionId && { optionId }) },
});
const workFile = (name: string) => join(lab.directory, '1', 'work', name);

describe('an agent that misbehaves', () => {
  it.each<[string, object, RegExp]>([
    ['gives no answer to initialize', { mute: true }, /did not answer "initialize" within 1\.5 s: check/],
    [
      'speaks another version',
      { version: 2 },
      /speaks version 2 of the Agent Client Protocol, and Signalbox speaks 1/,
    ],
    ['answers initialize with something else', { initialize: { result: 7 } }, /is not one of the Agent/],
    [
      'refuses initialize',
      { initialize: { error: { code: -1, message: 'no' } } },
      /refused "initialize": no/,
    ],
    ['never reads', { deaf: true }, /did not answer "session\/new" within 1\.5 s/],
    [
      'is not logged in',
      { session: { error: { code: -32_000, message: 'Authentication required' } } },
      /it is not logged in \(Authentication required\): log in .* it offers A key \(key\)/,
    ],
    [
      'opens no session',
      { session: { error: { code: 1, message: 'full', data: 'disk' } } },
      /no session: full \(disk\)/,
    ],
    ['names no session', { session: { result: {} } }, /names no session/],
    ['refuses its prompt', { error: { code: 1, message: 'You have no money' } }, /^You have no money$/],
    ['stops for its tokens', { stopReason: 'max_tokens' }, /limit of tokens/],
    ['refuses', { stopReason: 'refusal' }, /refused to go on/],
    ['exits by itself with an error', { exits: 3 }, /exited with code 3/],
  ])('and %s: a failure that says so, with nothing left', async (_what, how, reason) => {
    const end = await (await given(how).start([])).ended;
    const { outcome, error } = judged(end);
    expect(outcome).toBe('failed');
    expect(error).toMatch(reason);
    expect(end).toMatchObject({ evidence: { survivors: 0 } });
  });

  it('in its lines: partial ones, garbage and 50 MB take no request away and little memory', async () => {
    const before = process.memoryUsage().rss;
    const run = await given().start([{ partial: true }, { huge: 50_000_000 }, bash('date')]);
    lab.answer(run, await lab.question(1), { option: 'allow_once' });
    expect((await run.ended).outputs).toMatchObject([{ content: 'once' }]);
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
  });

  it('by its exit in the middle: a failure, with its session', async () => {
    const end = await (await given().start([{ exit: 0 }])).ended;
    expect(end).toMatchObject({ result: { kind: 'exited', code: 0 }, outputs: [], session: SESSION });
    expect(judged(end)).toMatchObject({
      outcome: 'failed',
      error: expect.stringMatching(/no readable result/),
    });
  });

  it('by a request and a message after the end: neither counts', async () => {
    const run = await given().start([{ late: true }]);
    expect((await run.ended).outputs).toMatchObject([{ content: 'nothing' }]);
    expect(lab.questions).toEqual([]);
  });

  it('by replacing its FIFO: what was open before still works, and a restart finds it and can stop it', async () => {
    const steps = [{ replace: true }, bash('date'), bash('again')];
    const run = await given().start(steps);
    lab.answer(run, await lab.question(1), { option: 'allow_once' });
    const second = await lab.question(2);
    const adopted = await lab.adopt(steps);
    lab.answer(adopted, second, { option: 'allow_once' });
    adopted.stop(500);
    expect(await adopted.ended).toMatchObject({ evidence: { survivors: 0 } });
    expect(replies()).toEqual([[0, outcome('selected', 'once')]]);
  });

  it('by requests without an end: it is ended', async () => {
    const end = await (await given().start([{ calls: 1_100 }, { silent: 60_000 }])).ended;
    expect(judged(end)).toMatchObject({
      outcome: 'failed',
      error: expect.stringMatching(/more than 1000 requests/),
    });
  });

  it('by an unknown mode: it is told which there are', async () => {
    const end = await (await given({}, { mode: 'yolo' }).start([])).ended;
    expect(judged(end).error).toBe('it has no mode yolo: choose one of plan');
    expect(existsSync(workFile('ran.txt'))).toBe(false);
  });
});
