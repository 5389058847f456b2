/**
 * A chat bot in a terminal: receives the questions of agents by a webhook, shows them, and answers them by their links. It
 * needs no token of Signalbox: a link answers one question, once, and nothing else.
 *
 *     BOT_SECRET=whsec_c2VjcmV0 node bot.mjs [port]
 *
 * Type the id of an option, or the answer to a question without options. Replace `show` and `next` to talk to a real chat.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const MAX_BODY_BYTES = 4 * 1_048_576;
/** Seconds: an older request may be a replay. */
const MAX_AGE = 300;

const secret = process.env.BOT_SECRET ?? '';
if (secret === '') throw new Error('set BOT_SECRET to the secret of the webhook');
const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);

/** Questions that wait for a line of the user, the oldest first. */
const waiting = [];

const server = createServer(async (request, response) => {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return response.writeHead(413).end();
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString();
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end();
  response.writeHead(204).end();
  const { event, answer_link: link } = JSON.parse(body);
  if (event.type === 'attempt.question_asked' && link) ask({ ...event.spec, link });
});

/** The signature of Standard Webhooks. */
function isGenuine(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature = '' } = headers;
  if (Math.abs(Date.now() / 1_000 - Number(time)) > MAX_AGE) return false;
  const expected = Buffer.from(
    `v1,${createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')}`,
  );
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function ask(question) {
  waiting.push(question);
  if (waiting.length === 1) show(question);
}

function show({ message, about, options = [] }) {
  console.log(`\n${message}`);
  if (about) console.log(JSON.stringify(about, null, 2));
  for (const { id, label } of options) console.log(`  ${id}${label === id ? '' : `: ${label}`}`);
  console.log('> ');
}

function next() {
  waiting.shift();
  if (waiting[0]) show(waiting[0]);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const [question] = waiting;
  if (!question) return console.log('no question is open');
  const answer = question.options ? { option: line.trim() } : { text: line };
  const response = await fetch(question.link.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'chat', ...answer }),
  }).catch((error) => ({ ok: false, json: async () => ({ detail: String(error) }) }));
  const { code, detail } = response.ok ? {} : await response.json();
  console.log(response.ok ? 'answered' : detail);
  // A wrong option can be corrected; a question that has an answer cannot.
  if (response.ok || code === 'link_used' || code === 'link_expired') next();
});

server.listen(Number(process.argv[2] ?? 8090), '127.0.0.1', () =>
  console.log(`waiting for questions at http://127.0.0.1:${server.address().port}`),
);
