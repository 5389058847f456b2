/** The tools of the model, by the HTTP API of Signalbox. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRIES = 8;
const COME_BACK_LATER = new Set([429, 502, 503, 504]);

export const TOOLS = [
  {
    name: 'background_run',
    description: 'Runs a shell command in the background and answers at once with its id.',
    parameters: {
      type: 'object',
      properties: { command: { type: 'string' }, timeout_seconds: { type: 'number' } },
      required: ['command'],
    },
  },
  {
    name: 'check_background',
    description: 'Shows a background command: its status, and the end of its output once it is over.',
    parameters: { type: 'object', properties: { task_id: { type: 'string' } }, required: ['task_id'] },
  },
];

/** @param {Readonly<Record<string, string | undefined>>} env */
export function background(env) {
  const {
    SIGNALBOX_URL: base = 'http://127.0.0.1:8083',
    SIGNALBOX_TOKEN: token,
    CURSOR: cursor = 'loop',
  } = env;
  const url = `${base}/api/background`;
  /** Started here, and not reported yet. */
  const open = new Set();

  /** @param {string} path @param {object} [body] @param {string} [key] makes it safe to send it again */
  async function ask(path, body, key) {
    const headers = { 'content-type': 'application/json' };
    if (token) headers.authorization = `Bearer ${token}`;
    if (key) headers['idempotency-key'] = key;
    const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers };
    for (let attempt = 1; ; attempt++) {
      const answer = await fetch(url + path, init).catch((error) => error);
      const mayRepeat = answer instanceof Error || COME_BACK_LATER.has(answer.status);
      if (mayRepeat && attempt <= RETRIES) {
        await sleep(Math.min(4_000, 100 * 2 ** attempt));
        continue;
      }
      if (answer instanceof Error)
        throw new Error(`Signalbox cannot be reached at ${base}`, { cause: answer });
      const json = await answer.json();
      if (!answer.ok) throw new Error(`${json.code}: ${json.detail}`);
      return json;
    }
  }

  /** @param {string} id */
  async function over(id) {
    for (;;) {
      const { status } = await ask(`/${id}?wait=30`);
      if (status !== 'pending' && status !== 'running') return;
    }
  }

  return {
    isWaiting: () => open.size > 0,

    /** New results; empty if there are none. A lost answer is requested again by its id. */
    async drain() {
      const texts = [];
      for (let hasMore = true; hasMore; ) {
        const { text, results, more } = await ask('/drain', { cursor, drain_id: randomUUID() });
        for (const { task_id } of results) open.delete(task_id);
        if (text !== '') texts.push(text);
        hasMore = more;
      }
      return texts.join('\n');
    },

    /** Resolves when one that was started here is over. */
    async next() {
      await Promise.race([...open].map(over));
    },

    /** A tool never throws: what went wrong is for the model. */
    async call({ id, name, input }) {
      try {
        if (name === 'background_run') {
          const { command, timeout_seconds } = input;
          const request = { command, cwd: process.cwd(), timeout_seconds };
          const { task_id, message } = await ask('', request, randomUUID());
          open.add(task_id);
          return { id, text: message };
        }
        if (name === 'check_background') {
          const { status, output } = await ask(`/${encodeURIComponent(input.task_id)}`);
          return { id, text: JSON.stringify({ status, output }) };
        }
        return { id, text: `there is no tool ${name}` };
      } catch (error) {
        return { id, text: `error: ${error.message}` };
      }
    },
  };
}
