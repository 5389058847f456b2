/** Questions over HTTP: what is refused and leaves nothing, rules, links, messages, redaction and figures. */
import { describe, expect, it } from 'vitest';
import { feedEventOf } from '../../../src/app/events/event-feed.ts';
import { answerLinkFor } from '../../../src/app/questions/answer-link.ts';
import { systemEnvironment } from '../../../src/base/environment.ts';
import type { GivenAnswerJson, QuestionJson } from '../../../src/contracts/api/questions.ts';
import type { QuestionSettings } from '../../../src/engine/supervisor/questions/question-ref.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp, taskIn } from '../../support/http/http.ts';

async function start(questions: QuestionSettings = {}, options: object = {}): Promise<TestHttp> {
  const http = await startHttp({
    agents: [functionAgent('worker', new Gate().handler, { questions, lingerMs: 60_000 })],
    ...options,
  });
  await http.working('a');
  return http;
}

const ask = (http: TestHttp, question: object) =>
  http.post(`${TASKS}/a/questions`, question, { token: http.token('a') });

async function asked(http: TestHttp, question: object): Promise<QuestionJson> {
  const answer = await ask(http, question);
  expect(answer.status).toBe(201);
  return answer.body as QuestionJson;
}

const read = async (http: TestHttp, id: string): Promise<QuestionJson> =>
  (await http.get(`${TASKS}/a/questions/${id}?wait=1`)).body as QuestionJson;

const answer = (http: TestHttp, id: string, body: object) =>
  http.post(`${TASKS}/a/questions/${id}/answer`, body);

const permission = (about: object, more: object = {}) => ({
  kind: 'permission',
  message: 'May I?',
  about,
  ...more,
});

const EMPTY_FORM = { type: 'object', properties: {} };
const withField = (field: object) => ({
  message: 'Which?',
  schema: { ...EMPTY_FORM, properties: { a: field } },
});

describe('questions that are not valid', () => {
  it.each([
    [
      'a forged option without a kind',
      permission({ tool: 'Bash' }, { options: [{ id: 'allow_once', label: 'Reject' }] }),
    ],
    ['an address that is a script', { message: 'Open this', kind: 'link', url: 'javascript:alert(1)' }],
    ['a choice without options', { message: 'Which?', kind: 'choice' }],
    ['two options with one id', { message: 'Which?', options: ['a', 'a'] }],
    ['a default that is not offered', { message: 'Which?', options: ['a'], default: { option: 'b' } }],
    ['an address without a host', { message: 'Open this', kind: 'link', url: 'https://' }],
    [
      'an address with a name before its host',
      { message: 'Open this', kind: 'link', url: 'https://a.example@b.example' },
    ],
    ['a time that is over', { message: 'Which?', expires_at: '2020-01-31T12:00:00Z' }],
    ['a text that is longer than it may be', withField({ type: 'string', minLength: 2, maxLength: 1 })],
    ['a number out of its range', withField({ type: 'integer', minimum: 1.2, maximum: 1.8 })],
    ['more items than choices', withField({ type: 'array', items: { enum: ['a'] }, minItems: 2 })],
    ['no choice', withField({ type: 'string', enum: [] })],
    ['a field that it does not have', { message: 'Which?', schema: { ...EMPTY_FORM, required: ['a'] } }],
  ])('are refused, and leave nothing in the log: %s', async (_what, question) => {
    await using http = await start();
    const before = http.events;
    problemIn(await ask(http, question), 400, 'invalid_request');
    expect(http.events).toBe(before);
  });

  it('are refused above a limit of open ones, and leave nothing in the log', async () => {
    await using http = await start();
    const before = http.events;
    const all = [];
    for (let batch = 0; batch < 10; batch++)
      all.push(...(await Promise.all(Array.from({ length: 100 }, () => ask(http, { message: 'And?' })))));
    const refused = all.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(980);
    for (const each of refused) problemIn(each, 409, 'too_many_questions');
    expect(http.events).toBe(before + 20);
  });
});

describe('an option of a permission', () => {
  it('is shown by what it does, whatever the agent calls it', async () => {
    await using http = await start();
    const options = [{ id: 'x', label: 'Reject', kind: 'allow_once' }];
    expect((await asked(http, permission({ tool: 'Bash' }, { options }))).options).toEqual([
      { id: 'x', label: 'Allow once', kind: 'allow_once' },
    ]);
  });
});

describe('a rule that allows', () => {
  const rules = [{ tool: 'Edit', input: '/srv/*', decision: 'allow' }] as const;
  const settings = { permissions: { default: 'ask', rules } } as const;

  it('has to fit everything that an action depends on, with its path as it is resolved', async () => {
    await using http = await start(settings);
    const open = async (input: object): Promise<boolean> => {
      const { id } = await asked(http, permission({ tool: 'Edit', input }));
      return (await read(http, id)).answer === null;
    };
    expect(await open({ command: 'rm -r /', file_path: '/srv/a' })).toBe(true);
    expect(await open({ file_path: '/srv/../etc/passwd' })).toBe(true);
    expect(await open({ command: '/srv/run; rm -r /' })).toBe(true);
    expect(await open({ command: '/srv/run', file_path: '/srv/a' })).toBe(false);
  });

  it('says in the log that it has decided', async () => {
    await using http = await start(settings);
    const { id } = await asked(http, permission({ tool: 'Edit', input: { file_path: '/srv/a' } }));
    expect((await read(http, id)).answer).toMatchObject({
      action: 'accepted',
      option: 'allow_once',
      by: 'supervisor',
      comment: 'by the rule Edit /srv/* of the configuration',
    });
  });

  it('is recorded by allow_always, listed, applied to the same and to nothing else, and revocable', async () => {
    await using http = await start();
    const request = permission({ tool: 'Bash', input: 'npm test' });
    const { id } = await asked(http, request);
    const given = (await answer(http, id, { option: 'allow_always' })).body as { answer: GivenAnswerJson };
    const rule = given.answer.rule ?? '';
    expect((await http.get('/api/agents/worker/rules')).body).toMatchObject({
      rules: [{ id: rule, scope: 'task', tool: 'Bash', input: 'npm test', decision: 'allow' }],
    });
    expect((await read(http, (await asked(http, request)).id)).answer?.action).toBe('accepted');
    const other = await asked(http, permission({ tool: 'Bash', input: 'npm test && rm -r /' }));
    expect((await read(http, other.id)).answer).toBeNull();
    await http.post(`/api/agents/worker/rules/${rule}/revoke`, {});
    expect((await read(http, (await asked(http, request)).id)).answer).toBeNull();
  });
});

describe('an answer link', () => {
  it('expires after a week', async () => {
    const ahead = { ms: 0 };
    const clock = { ...systemEnvironment.clock, now: () => Date.now() + ahead.ms };
    await using http = await start({}, { environment: { ...systemEnvironment, clock } });
    await asked(http, { message: 'Which?', options: ['yes'] });
    const { app } = http.test;
    let url = '';
    for await (const record of app.log.history({ project: 'demo', task: 'a' })) {
      const link = answerLinkFor(app, feedEventOf(record), http.url);
      if (link) url = link.url.slice(http.url.length);
    }
    expect((await http.get(url)).status).toBe(200);
    ahead.ms = 7 * 24 * 3_600_000 + 1;
    const before = http.events;
    problemIn(await http.post(url, { option: 'yes' }), 410, 'link_expired');
    expect(http.events).toBe(before);
  });
});

describe('a message to the agent of a task', () => {
  const deliveries = async (http: TestHttp, id = 'a') => {
    const { events = [] } = taskIn(await http.get(`${TASKS}/${id}?expand=events`));
    return events.map(({ event }) => event).filter(({ type }) => type === 'task.steering_delivered');
  };

  it.each([
    ['a status report', 'status', { status: 'working' }],
    ['a heartbeat', 'heartbeat', {}],
    ['a comment', 'comments', { body: 'Half way.' }],
    ['an output', 'outputs', { type: 'data', title: 'Figures', content: '1' }],
  ])('comes once with the answer to %s, and the log says so', async (_what, path, body) => {
    await using http = await start();
    expect((await http.post(`${TASKS}/a/steer`, { by: 'ann', text: 'Be brief.' })).status).toBe(201);
    const report = async () =>
      taskIn(
        await http.post(`${TASKS}/a/${path}`, body, { token: http.token('a') }),
        0 + (path === 'comments' || path === 'outputs' ? 201 : 200),
      );
    expect((await report()).steering).toMatchObject([{ text: 'Be brief.', by: 'ann' }]);
    expect((await report()).steering).toBeUndefined();
    expect(await deliveries(http)).toMatchObject([{ by: 'answer', attempt: 1 }]);
  });

  it('is taken by the agent alone', async () => {
    await using http = await start();
    await http.post(`${TASKS}/a/steer`, { text: 'Be brief.' });
    // A person takes nothing away from the agent.
    expect((await http.post(`${TASKS}/a/steer/take`, {})).body).toEqual({ messages: [] });
    const take = () => http.post(`${TASKS}/a/steer/take`, {}, { token: http.token('a') });
    expect((await take()).body).toMatchObject({ messages: [{ text: 'Be brief.' }] });
    expect((await take()).body).toEqual({ messages: [] });
  });

  it('is in the next prompt if the agent does not run, and the log says so', async () => {
    await using http = await start();
    taskIn(await http.post(TASKS, { id: 'b', title: 'later', agent: 'worker' }), 201);
    await http.post(`${TASKS}/b/steer`, { text: 'Be brief.' });
    await http.post(`${TASKS}/a/cancel`, {});
    await http.test.until('b', ({ state }) => state === 'working');
    await http.test.when(async () => ((await deliveries(http, 'b')).length > 0 ? true : undefined));
    expect(await deliveries(http, 'b')).toMatchObject([{ by: 'prompt', attempt: 1 }]);
  });
});

describe('a redaction', () => {
  it('erases the texts of a question and its answer; what was decided stays', async () => {
    await using http = await start();
    const about = { tool: 'Bash', input: 'secret input', path: '/secret', diff: 'secret diff' };
    const { id } = await asked(http, permission(about, { message: 'secret question' }));
    await answer(http, id, { option: 'reject_always', comment: 'secret comment', by: 'ann' });
    const { id: text } = await asked(http, { message: 'What?' });
    await answer(http, text, { text: 'secret text' });
    const { events = [] } = taskIn(await http.get(`${TASKS}/a?expand=events`));
    for (const { sequence, event } of events)
      if (event.type.startsWith('attempt.question_'))
        taskIn(await http.post(`${TASKS}/a/redact`, { event: sequence, reason: 'a test' }));
    expect(await read(http, id)).toMatchObject({
      message: '[redacted]',
      about: null,
      options: [{ id: 'allow_once', label: '[redacted]' }, {}, {}, {}],
      answer: { action: 'declined', option: 'reject_always', by: 'ann', comment: '[redacted]', rule: null },
    });
    expect(await read(http, text)).toMatchObject({ answer: { action: 'accepted', content: null } });
    expect((await http.get('/api/agents/worker/rules')).body).toMatchObject({ rules: [] });
    expect(JSON.stringify((await http.get(`${TASKS}/a?expand=all`)).body)).not.toContain('secret');
    expect(JSON.stringify(http.log.messages)).not.toContain('secret');
  });
});

describe('the metrics', () => {
  it('count open questions, and the time until they were answered', async () => {
    await using http = await start();
    const metrics = async () => (await fetch(`${http.url}/metrics`)).text();
    const { id } = await asked(http, { message: 'Which?', options: ['yes'] });
    expect(await metrics()).toMatch(/^signalbox_questions_open 1$/m);
    await answer(http, id, { option: 'yes' });
    const after = await metrics();
    expect(after).toMatch(/^signalbox_questions_open 0$/m);
    expect(after).toMatch(/^signalbox_question_waiting_seconds_count\S* 1$/m);
  });
});
