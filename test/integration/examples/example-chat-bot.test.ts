/** The example of a chat bot, as a process: it gets a question by a webhook, and answers with the link. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../support/process/build.ts';
import { freePort } from '../../support/process/free-port.ts';
import { until } from '../../support/until.ts';
import { ASKS, agent, create, givenSignalbox, TASKS, whenDone } from '../questions/questions-lab.ts';

const SECRET = 'whsec_YSBzZWNyZXQgb2YgdGhlIGNoYXQ=';

describe('the example chat bot', () => {
  it('shows a question, says what is wrong with an answer, and passes on the right one', {
    timeout: 180_000,
  }, async () => {
    const port = await freePort();
    const bot = spawn(process.execPath, [join(ROOT, 'examples/chat-bot/bot.mjs'), String(port)], {
      env: { PATH: process.env.PATH, BOT_SECRET: SECRET },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let said = '';
    bot.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    try {
      await once(bot.stdout, 'data');
      const chat = {
        url: `http://127.0.0.1:${port}`,
        events: ['attempt.question_asked'],
        secret_env: 'BOT_SECRET',
      };
      await using sandbox = await givenSignalbox(
        { asker: agent(ASKS) },
        { webhooks: { chat } },
        { BOT_SECRET: SECRET },
      );
      await create(sandbox, 't', 'asker');
      await until(() => said.includes('Go on?'), 'the bot shows the question', 60_000);
      bot.stdin.write('perhaps\n');
      await until(() => said.includes('choose yes, no'), 'the bot says what is wrong', 60_000);
      bot.stdin.write('yes\n');
      expect((await whenDone(sandbox, 't')).outputs[0]?.content.trim()).toBe('yes');
      expect(await sandbox.get(`${TASKS}/t/questions`)).toMatchObject({
        questions: [{ answer: { option: 'yes', by: 'link/chat' } }],
      });
      await until(() => said.includes('answered'), 'the bot says that it is answered', 60_000);
    } finally {
      bot.kill('SIGKILL');
    }
  });
});
