/**
 * Runs an agent without Signalbox: a fake server answers its calls and prints them. A failed attempt is followed by
 * another one that gets the error, as Signalbox does it.
 *
 *     node examples/agents/lib/try.mjs examples/agents/code-review.mjs '{"repo": "."}'
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say } from './signalbox.mjs';

const MAX_ATTEMPTS = 3;
const LONGEST_SHOWN = 20_000;

const [program, params = '{}'] = process.argv.slice(2);
if (program === undefined) {
  process.stderr.write("usage: node examples/agents/lib/try.mjs AGENT [PARAMS as JSON, such as '{}']\n");
  process.exit(2);
}

/** @type {import('./signalbox.mjs').Attempt[]} */
const attempts = [];
const task = { project: 'demo', id: 'try', title: 'By hand', params: JSON.parse(params), attempts };
let failure = '';

const server = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  response.setHeader('content-type', 'application/json');
  if (request.method === 'GET') {
    response.end(JSON.stringify(task));
    return;
  }
  const { content, ...body } = JSON.parse(text);
  if (body.status === 'failed') failure = body.detail;
  say(`→ ${request.method} ${request.url} ${JSON.stringify(body)}`);
  if (content) say(content.slice(0, LONGEST_SHOWN));
  response.end('{}');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
const directory = await mkdtemp(join(tmpdir(), 'signalbox-try-'));

try {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    failure = '';
    const code = await run(attempt);
    say(`→ attempt ${attempt} ended with exit code ${code}`);
    if (code === 0 && failure === '') break;
    attempts.push({ attempt, outcome: 'failed', error: failure || `exit code ${code}` });
  }
} finally {
  server.close();
  await rm(directory, { recursive: true });
}

/** @param {number} attempt @returns {Promise<number | null>} */
async function run(attempt) {
  const prompt = join(directory, 'prompt.txt');
  const history = attempts.map((each) => `Attempt ${each.attempt} failed: ${each.error}`);
  await writeFile(prompt, [`${task.title}: ${params}`, ...history, ''].join('\n'));
  const command = /\.[cm]?js$/.test(program) ? [process.execPath, program] : [program];
  const child = spawn(command[0], command.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      SIGNALBOX_URL: `http://127.0.0.1:${port}`,
      SIGNALBOX_PROJECT: task.project,
      SIGNALBOX_TASK_ID: task.id,
      SIGNALBOX_ATTEMPT: String(attempt),
      SIGNALBOX_AGENT_ID: 'by-hand',
      SIGNALBOX_TOKEN: randomUUID(),
      SIGNALBOX_PROMPT_FILE: prompt,
    },
  });
  const [code] = await once(child, 'exit');
  return code;
}
