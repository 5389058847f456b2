/** Agents that ask, as real processes with a real nats-server. */
import { describe, expect, it } from 'vitest';
import type { QuestionJson } from '../../../src/contracts/api/questions.ts';
import { Receiver } from '../../support/http/receiver.ts';
import { until } from '../../support/until.ts';
import {
  ASKS,
  agent,
  answer,
  codeOf,
  create,
  givenSignalbox,
  LEAVES_TOKEN,
  questions,
  TASKS,
  type Task,
  whenAsked,
  whenDone,
} from './questions-lab.ts';

describe('kill -9 of Signalbox while ten agents wait for an answer', () => {
  it('finds all ten waiting, passes on the answers, starts none again, and moves deadlines by the wait', {
    timeout: 240_000,
  }, async () => {
    await using sandbox = await givenSignalbox({
      asker: agent(ASKS, { concurrency: 10, timeout_seconds: 60 }),
    });
    const ids = Array.from({ length: 10 }, (_, index) => `t${index}`);
    for (const id of ids) await create(sandbox, id, 'asker');
    const asked = await whenAsked(sandbox, 10);
    await sandbox.kill('SIGKILL');
    await sandbox.up();
    expect((await questions(sandbox)).map(({ id }) => id).sort()).toEqual(asked.map(({ id }) => id).sort());
    for (const question of asked)
      expect((await answer(sandbox, question, { option: 'yes' })).status).toBe(200);
    for (const { task, id } of asked) {
      const { outputs, attempts } = await whenDone(sandbox, task);
      expect(outputs[0]?.content.trim()).toBe('yes');
      const given = await sandbox.get<QuestionJson>(`${TASKS}/${task}/questions/${id}`);
      const waited = Date.parse(given.answer?.time ?? '') - Date.parse(given.asked_at);
      const { deadline = '', started_at = '' } = attempts[0] ?? {};
      expect(Math.abs(Date.parse(deadline) - Date.parse(started_at) - 60_000 - waited)).toBeLessThan(500);
    }
    expect((await sandbox.lines('starts')).sort()).toEqual(ids.map((id) => `${id}/1`));
  });
});

describe('an agent that is parked while it waits', () => {
  it('frees its slot within a second; the answer brings it back; its attempt is not counted', {
    timeout: 180_000,
  }, async () => {
    const command = `if [ $SIGNALBOX_ATTEMPT = 1 ] && [ $SIGNALBOX_TASK_ID = t ]; then ${ASKS}; else grep -o "go on" "$SIGNALBOX_PROMPT_FILE" || echo plain; fi`;
    await using sandbox = await givenSignalbox({ asker: agent(command, { park_after_seconds: 0 }) });
    await create(sandbox, 't', 'asker');
    const [question] = await whenAsked(sandbox);
    await create(sandbox, 'other', 'asker');
    const { attempts } = await whenDone(sandbox, 'other');
    const freed = Date.parse(attempts[0]?.started_at ?? '') - Date.parse(question.asked_at);
    expect(freed).toBeGreaterThan(0);
    const parked = await sandbox.get<Task>(`${TASKS}/t`);
    expect(parked).toMatchObject({ status: 'blocked', attempts_used: 0 });
    await answer(sandbox, question, { option: 'yes', comment: 'go on' });
    expect(await whenDone(sandbox, 't')).toMatchObject({
      attempts_used: 1,
      outputs: [{ content: 'go on\n' }],
    });
    expect(await sandbox.get('/api/agents/asker')).toMatchObject({ state: 'idle', failures: 0 });
  });
});

describe('an answer link', () => {
  it('access/answer-link-one-question: answers its question once, and opens nothing else', {
    timeout: 180_000,
  }, async () => {
    const secret = Buffer.from('a secret of the chat');
    await using receiver = await Receiver.start(secret);
    const chat = { url: receiver.url, events: ['attempt.question_asked'], secret_env: 'CHAT' };
    await using sandbox = await givenSignalbox(
      { asker: agent(ASKS) },
      { webhooks: { chat } },
      { CHAT: secret.toString() },
    );
    await create(sandbox, 't', 'asker');
    await until(() => receiver.received.length > 0, 'the webhook was called', 60_000);
    const link = receiver.received[0]?.body.answer_link ?? { url: '', page: '' };
    const send = (url: string, body: object): Promise<Response> =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect(await codeOf(await send(`${link.url}x`, { option: 'yes' }))).toBe('403 link_invalid');
    expect(await codeOf(await send(link.url, { option: 'perhaps' }))).toBe('422 option_not_offered');
    expect((await send(link.url, { by: 'ann', option: 'no' })).status).toBe(200);
    expect(await codeOf(await send(link.url, { option: 'yes' }))).toBe('410 link_used');
    expect((await whenDone(sandbox, 't')).outputs[0]?.content.trim()).toBe('no');
    const log = JSON.stringify(await sandbox.get(`${TASKS}/t?expand=events`));
    expect(log).not.toContain(link.url.split('.').at(-1));
  });
});

describe('questions and answers that are not valid', () => {
  it('are refused with a code of their own, and leave nothing in the log', { timeout: 180_000 }, async () => {
    await using sandbox = await givenSignalbox({ asker: agent(LEAVES_TOKEN) });
    await create(sandbox, 't', 'asker');
    await until(async () => (await sandbox.lines('token')).length > 0, 'it runs', 60_000);
    const [token = ''] = await sandbox.lines('token');
    const call = (path: string, body: object): Promise<Response> =>
      fetch(`${sandbox.url}${TASKS}/t${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      });
    const ask = async (id: string): Promise<void> => {
      expect((await call('/questions', { id, message: 'Go on?', options: ['yes'] })).status).toBe(201);
    };
    await ask('q');
    const sequence = async (): Promise<number> =>
      (await sandbox.get<{ sequence: number }>(`${TASKS}/t`)).sequence;
    const before = await sequence();
    const form = { properties: { n: { type: 'integer', maximum: 3 } }, type: 'object', required: ['n'] };
    expect(await codeOf(await call('/questions/q/answer', { option: 'yes' }))).toBe('403 own_question');
    expect(await codeOf(await call('/questions', { id: 'q', message: 'Other?' }))).toBe(
      '409 question_exists',
    );
    const large = { message: 'x'.repeat(300_000) };
    expect(await codeOf(await call('/questions', large))).toBe('413 question_too_large');
    expect(await codeOf(await call('/questions', { message: 'x'.repeat(1_100_000) }))).toBe(
      '413 body_too_large',
    );
    const unfit = { message: 'n?', kind: 'form', schema: form, default: { content: { n: 7 } } };
    expect(await codeOf(await call('/questions', unfit))).toBe('400 invalid_request');
    const answerTo = (id: string, body: object) => sandbox.post(`${TASKS}/t/questions/${id}/answer`, body);
    expect(await codeOf(await answerTo('q', { option: 'no' }))).toBe('422 option_not_offered');
    expect(await codeOf(await answerTo('nothing', { option: 'no' }))).toBe('404 question_not_found');
    expect(await sequence()).toBe(before);
    expect((await call('/questions', { id: 'form', message: 'n?', schema: form })).status).toBe(201);
    expect(await codeOf(await answerTo('form', { content: { n: 7 } }))).toBe('422 answer_invalid');
    expect(await codeOf(await answerTo('form', { content: { n: 1, m: 2 } }))).toBe('422 answer_invalid');
    for (let index = 2; index < 20; index++) await ask(`q${index}`);
    expect(await codeOf(await call('/questions', { message: 'one more?' }))).toBe('409 too_many_questions');
    const answers = await Promise.all(Array.from({ length: 50 }, () => answerTo('q', { option: 'yes' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      200,
      ...Array.from({ length: 49 }, () => 409),
    ]);
  });
});
