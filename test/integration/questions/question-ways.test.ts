/** Every way in which the question of an agent is answered: the agent, a shell script, goes on with the option. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QuestionJson } from '../../../src/contracts/api/questions.ts';
import { CHROMIUM, TestBrowser } from '../../support/http/browser.ts';
import { Receiver } from '../../support/http/receiver.ts';
import { caller } from '../../support/nats/command-caller.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';
import { PlainNats } from '../../support/nats/plain-nats.ts';
import { runCli } from '../../support/process/cli.ts';
import type { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';
import {
  ASKS,
  agent,
  answer,
  CLI,
  codeOf,
  create,
  eventsOf,
  givenSignalbox,
  LEAVES_TOKEN,
  questions,
  TASKS,
  whenDone,
} from './questions-lab.ts';

const SECRET = Buffer.from('a secret of the chat');
/** The agent that answers: with the command line, and the question of its prompt. */
const ANSWERS = `id=$(grep -o 'questions/[^/]*/answer' "$SIGNALBOX_PROMPT_FILE" | head -1 | cut -d/ -f2)
${CLI} question answer "$id" --task by-agent --option yes --comment "looked at it"`;

describe('a question of an agent', { timeout: 240_000 }, () => {
  let nats: TestNatsServer;
  let receiver: Receiver;
  let sandbox: Sandbox;
  beforeAll(async () => {
    nats = await natsServer();
    receiver = await Receiver.start(SECRET);
    const { user, pass } = nats.connectOptions;
    const env = {
      CHAT: SECRET.toString(),
      NATS_URL: nats.url.replace('nats://', `nats://${user}:${pass}@`),
    };
    const chat = { url: receiver.url, events: ['attempt.question_asked'], secret_env: 'CHAT' };
    const agents = {
      asker: agent(ASKS, { concurrency: 10 }),
      junior: agent(ASKS, { answered_by: 'senior' }),
      senior: agent(ANSWERS),
      quiet: agent(LEAVES_TOKEN),
      permitted: agent(`${CLI} ask "May I?" --tool Bash --input "rm -r build"`),
    };
    sandbox = await givenSignalbox(agents, { webhooks: { chat } }, env);
  }, 120_000);
  afterAll(async () => {
    await sandbox?.[Symbol.asyncDispose]();
    await receiver?.[Symbol.asyncDispose]();
    await nats?.stop();
  });

  /** A question of the agent `asker`. */
  async function givenQuestion(task: string): Promise<QuestionJson> {
    await create(sandbox, task, 'asker');
    await until(
      async () => (await questions(sandbox)).some((each) => each.task === task),
      `${task} asks`,
      60_000,
    );
    const found = (await questions(sandbox)).find((each) => each.task === task);
    if (!found) throw new Error(`${task} has no question`);
    return found;
  }

  /** The agent went on with the option, and the log has one answer. */
  async function expectAnswered(task: string, option: string, by: string): Promise<void> {
    expect((await whenDone(sandbox, task)).outputs[0]?.content.trim()).toBe(option);
    expect(await eventsOf(sandbox, task, 'attempt.question_answered')).toHaveLength(1);
    const { questions: asked } = await sandbox.get<{ questions: QuestionJson[] }>(
      `${TASKS}/${task}/questions`,
    );
    expect(asked).toMatchObject([{ answer: { action: 'accepted', option, by } }]);
  }

  it.skipIf(CHROMIUM === null)('is answered on the page, where it comes first', async () => {
    const { id } = await givenQuestion('by-page');
    await using browser = await TestBrowser.launch();
    const page = await browser.open(`${sandbox.url}/ui/`);
    const form = page.locator(`[data-question="${id}"]`);
    expect(await form.locator('.question-text').innerText()).toBe('Go on?');
    expect(await page.locator('section h2').first().innerText()).toContain('Questions');
    await form.locator('[data-option="yes"]').click();
    await expectAnswered('by-page', 'yes', 'anonymous');
    await form.waitFor({ state: 'detached' });
    browser.expectNoErrors();
  });

  it('is answered with curl', async () => {
    const { id } = await givenQuestion('by-curl');
    const url = `${sandbox.url}${TASKS}/by-curl/questions/${id}/answer`;
    const body = JSON.stringify({ by: 'ann', option: 'no' });
    const curl = spawn('curl', [
      '-sS',
      '-X',
      'POST',
      url,
      '-H',
      'Content-Type: application/json',
      '-d',
      body,
    ]);
    const [said] = await Promise.all([text(curl.stdout), once(curl, 'close')]);
    expect(JSON.parse(said)).toMatchObject({ id, answer: { by: 'ann' } });
    await expectAnswered('by-curl', 'no', 'ann');
  });

  it('is answered over NATS', async () => {
    const { id } = await givenQuestion('by-nats');
    const connection = await connect(nats.connectOptions);
    try {
      const call = caller(connection);
      const request = { task: 'by-nats', question: id, option: 'yes', by: 'ann' };
      expect((await call('demo.answerQuestion', request)).status).toBe(200);
      const late = await call('demo.answerQuestion', { ...request, option: 'no' });
      expect(late).toMatchObject({
        status: 409,
        body: { code: 'question_answered', details: { answer: { option: 'yes' } } },
      });
    } finally {
      await connection.close();
    }
    await expectAnswered('by-nats', 'yes', 'ann');
  });

  it('is asked over NATS with nothing but the protocol of NATS, and its answer is waited for there', async () => {
    await create(sandbox, 'plain', 'quiet');
    await until(async () => (await sandbox.lines('token')).length > 0, 'it runs', 60_000);
    const [token = ''] = await sandbox.lines('token');
    const { user = '', pass = '' } = nats.connectOptions;
    await using socket = await PlainNats.open(nats.url, user, pass);
    const authorization = `Authorization: Bearer ${token}`;
    const question = { task: 'plain', id: 'q', message: 'Go on?', options: ['yes', 'no'] };
    const ask = () => socket.request('signalbox.v1.cmd.demo.askQuestion', question, authorization);
    expect(await ask()).toMatchObject({ id: 'q', answer: null });
    // Asked again, as after a lost answer: it is the same question.
    expect(await ask()).toMatchObject({ id: 'q', answer: null });
    const wait = { task: 'plain', question: 'q', wait: 5 };
    const waiting = socket.request('signalbox.v1.cmd.demo.readQuestion', wait, authorization);
    await sandbox.post(`${TASKS}/plain/questions/q/answer`, { option: 'yes' });
    expect(await waiting).toMatchObject({ id: 'q', answer: { option: 'yes' } });
    expect(await eventsOf(sandbox, 'plain', 'attempt.question_asked')).toHaveLength(1);
    expect(
      await socket.request('signalbox.v1.cmd.demo.askQuestion', { ...question, id: 'other' }, ''),
    ).toMatchObject({
      code: 'unauthorized',
    });
  });

  it('is answered by an MCP client', async () => {
    const { id } = await givenQuestion('by-mcp');
    const client = new Client({ name: 'main agent', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${sandbox.url}/mcp?project=demo`)));
    try {
      const listed = await client.callTool({ name: 'question_list', arguments: {} });
      expect(JSON.stringify(listed.structuredContent)).toContain(id);
      const args = { question_id: id, option: 'yes' };
      expect((await client.callTool({ name: 'question_answer', arguments: args })).isError).not.toBe(true);
    } finally {
      await client.close();
    }
    await expectAnswered('by-mcp', 'yes', 'anonymous');
  });

  it('is answered by another agent, in a task of its own', async () => {
    await create(sandbox, 'by-agent', 'junior');
    await expectAnswered('by-agent', 'yes', 'agent:senior');
    const { tasks } = await sandbox.get<{ tasks: { id: string; status: string; answers: object }[] }>(
      '/api/tasks?agent=senior',
    );
    expect(tasks).toMatchObject([{ answers: { task: 'by-agent' } }]);
    await whenDone(sandbox, tasks[0]?.id ?? '');
  });

  it('is answered by its link', async () => {
    await givenQuestion('by-link');
    const isMeant = ({ body }: (typeof receiver.received)[number]): boolean => body.event.task === 'by-link';
    await until(() => receiver.received.some(isMeant), 'the webhook was called', 60_000);
    const link = receiver.received.find(isMeant)?.body.answer_link?.url ?? '';
    const request = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const body = JSON.stringify({ by: 'ann', option: 'yes' });
    expect((await fetch(link, { ...request, body })).status).toBe(200);
    // The holder of a link has no token: it cannot speak for a user.
    await expectAnswered('by-link', 'yes', 'link/ann');
  });

  it('questions/answered-once: gets one of 50 answers at the same moment; the others learn which counts', async () => {
    const question = await givenQuestion('fifty');
    const all = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const given = { option: index % 2 === 0 ? 'yes' : 'no', by: `user-${index}` };
        const response = await answer(sandbox, question, given);
        return { status: response.status, body: (await response.json()) as { answer: { by: string } } };
      }),
    );
    const [counted, ...more] = all.filter(({ status }) => status === 200);
    expect(more).toEqual([]);
    const refused = all.filter(({ status }) => status === 409);
    expect(refused).toHaveLength(49);
    for (const { body } of refused)
      expect(body).toMatchObject({
        code: 'question_answered',
        details: { answer: { by: counted?.body.answer.by } },
      });
    expect(await eventsOf(sandbox, 'fifty', 'attempt.question_answered')).toHaveLength(1);
  });

  it('is explained by "task why", with a command that can be run as printed', async () => {
    const { id } = await givenQuestion('explained');
    const env = { SIGNALBOX_URL: sandbox.url };
    const why = await runCli(['task', 'why', 'explained', '--project', 'demo'], { env });
    const [, command = ''] =
      /"signalbox (question answer [^"]*)"/.exec(why.out.replaceAll(/\s+/g, ' ')) ?? [];
    expect(command).toContain(id);
    const args = command.replace('OPTION', 'yes').split(' ');
    expect((await runCli(args, { env })).code).toBe(0);
    expect((await whenDone(sandbox, 'explained')).outputs[0]?.content.trim()).toBe('yes');
  });

  it('about a permission, answered by link with a lasting option, records no rule', async () => {
    await create(sandbox, 'lasting', 'permitted');
    const isMeant = ({ body }: (typeof receiver.received)[number]): boolean => body.event.task === 'lasting';
    await until(() => receiver.received.some(isMeant), 'the webhook was called', 60_000);
    const url = receiver.received.find(isMeant)?.body.answer_link?.url ?? '';
    const post = (body: object): Promise<Response> =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const remember = { option: 'allow_always', remember: { scope: 'agent' } };
    expect(await codeOf(await post(remember))).toBe('400 invalid_request');
    expect((await post({ option: 'allow_always' })).status).toBe(200);
    expect(await sandbox.get('/api/agents/permitted/rules')).toMatchObject({ rules: [] });
    expect((await whenDone(sandbox, 'lasting')).outputs[0]?.content.trim()).toBe('allow_always');
  });
});
