/** A Signalbox with one real agent, and what its scenarios do with it. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PATIENCE_MS = 120_000;
const PORT = Number(process.env.PORT ?? 18_083);

export class Laboratory {
  #directory;
  #work;
  #url = `http://127.0.0.1:${PORT}`;
  #process;

  constructor(directory, tool) {
    this.tool = tool;
    this.#directory = directory;
    this.#work = join(directory, 'work');
    mkdirSync(this.#work);
    writeFileSync(join(directory, 'signalbox.config.yaml'), JSON.stringify(this.#configuration()));
  }

  async up() {
    this.#process = spawn(process.execPath, [MAIN, 'up'], {
      cwd: this.#directory,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await until('Signalbox is ready', () =>
      fetch(`${this.#url}/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  }

  async down(signal) {
    if (!this.#process) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill(signal);
    await ended;
    this.#process = undefined;
  }

  async add(id, calls) {
    const description = calls.map((call) => `STUB: ${JSON.stringify(call)}`).join('\n');
    await this.post('/api/projects/demo/tasks', { id, title: `Task ${id}`, description, agent: 'coder' });
  }

  asked(task) {
    return until(`task ${task} asks`, async () => {
      const { status, attempts } = await this.#task(task);
      hold(
        status === 'working' || status === 'pending' || status === 'claimed',
        `it is ${status}: ${attempts.at(-1)?.error}`,
      );
      return (await this.questionsOf(task)).find((question) => question.answer === null);
    });
  }

  async questionsOf(task) {
    return (await this.get(`/api/projects/demo/tasks/${task}/questions`)).questions;
  }

  async answer({ task, id }, body) {
    await this.post(`/api/projects/demo/tasks/${task}/questions/${id}/answer`, { by: 'ann', ...body });
  }

  async ended(task) {
    return until(`task ${task} ends`, async () => {
      const now = await this.#task(task);
      return ['done', 'failed', 'blocked', 'cancelled'].includes(now.status) && now.attempts.at(-1)?.ended_at
        ? now
        : undefined;
    });
  }

  async done(task) {
    const found = await this.ended(task);
    const { error, stderr_tail } = found.attempts.at(-1) ?? {};
    hold(found.status === 'done', `it is ${found.status}: ${error ?? ''} ${stderr_tail ?? ''}`);
    return found;
  }

  /** The attempt with this number, once its task is in review. */
  async reviewed(task, number = 1) {
    return until(`task ${task} is in review after attempt ${number}`, async () => {
      const { status, attempts } = await this.#task(task);
      const error = attempts.at(-1)?.error;
      hold(status !== 'failed', `it is failed: ${error}`);
      return status === 'review' && attempts.length === number && attempts.at(-1).ended_at
        ? attempts.at(-1)
        : undefined;
    });
  }

  async cancelAll() {
    const { tasks } = await this.get('/api/projects/demo/tasks?status=working');
    for (const { id } of tasks)
      await this.post(`/api/projects/demo/tasks/${id}/cancel`, { by: 'ann' }).catch(() => {});
  }

  written(file) {
    return readFileSync(join(this.#work, file), 'utf8');
  }

  async get(path) {
    return read(await fetch(this.#url + path));
  }

  async post(path, body) {
    const headers = { 'content-type': 'application/json' };
    return read(await fetch(this.#url + path, { method: 'POST', headers, body: JSON.stringify(body) }));
  }

  #task(id) {
    return this.get(`/api/projects/demo/tasks/${id}?expand=all`);
  }

  #configuration() {
    const { driver, program, args = [], env } = this.tool;
    return {
      data_dir: join(this.#directory, 'data'),
      server: { port: PORT },
      log: { level: 'error' },
      drivers: { [driver]: { program } },
      defaults: { review: 'auto', max_attempts: 1, timeout_seconds: 120, breaker: { failures: 1_000 } },
      agents: { coder: { driver, cwd: this.#work, args, env } },
      shutdown: { agents: 'kill' },
    };
  }
}

async function read(response) {
  const body = await response.json();
  if (!response.ok) throw new Error(`${response.url} answers ${response.status}: ${JSON.stringify(body)}`);
  return body;
}

async function until(what, look) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(200)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`waited ${PATIENCE_MS / 1_000} s in vain until ${what}`);
}

export function hold(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}
