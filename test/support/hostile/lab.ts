/** A Signalbox whose files are replaced while it is asked again and again whether it is ready. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type AnswerTimes, answerTimesDuring } from '../http/answer-times.ts';
import { survivors } from '../process/processes.ts';
import { Sandbox } from '../process/signalbox-process.ts';
import { until } from '../until.ts';
import type { HostileCase } from './cases.ts';
import { HOSTILE_KINDS, replaceBy } from './kinds.ts';

/** Of those that are to be ended for their time. */
const TIMEOUT_SECONDS = 12;
/** Of those that run while Signalbox is stopped. */
const LONG_TIMEOUT_SECONDS = 18;

const shell = (script: string) => ({
  driver: 'command',
  command: ['sh', '-c', script],
  concurrency: 1_000,
  kill_grace_seconds: 0.3,
});

/** @param directory in which agents note their tokens when they have begun */
function configIn(directory: string) {
  const begin = beginIn(directory);
  return {
    shutdown: { agents: 'leave', drain_seconds: 0.1 },
    defaults: {
      review: 'auto',
      max_attempts: 1,
      timeout_seconds: 600,
      breaker: { failures: 1_000 },
    },
    limits: { concurrency: 1_000 },
    server: { requests_per_second: 100_000 },
    drivers: { 'spoken-to': { base: 'claude', program: join(directory, 'spoken-to') } },
    agents: {
      quiet: { ...shell(`${begin}; exec sleep 600`), timeout_seconds: TIMEOUT_SECONDS },
      patient: { ...shell(`${begin}; exec sleep 600`), timeout_seconds: LONG_TIMEOUT_SECONDS },
      deaf: { ...shell(`trap '' TERM; ${begin}; exec sleep 600`), kill_grace_seconds: 6 },
      // Its process stays for this time after its result.
      lingering: { ...shell(`${begin}; exec sleep 600`), kill_grace_seconds: 8 },
      writer: shell(`${begin}; exec sleep 600`),
      brief: shell(begin),
      housed: { ...shell('echo done'), cwd: join(directory, 'house') },
      'spoken-to': {
        driver: 'spoken-to',
        concurrency: 1_000,
        kill_grace_seconds: 0.3,
        timeout_seconds: TIMEOUT_SECONDS,
      },
    },
  };
}

function beginIn(directory: string): string {
  return `echo "$SIGNALBOX_TOKEN" >"${directory}/tokens/$SIGNALBOX_TASK_ID"; echo hello`;
}

const PROJECT = '/api/projects/demo';

const attemptSchema = z.looseObject({
  outcome: z.string().nullable(),
  deadline: z.string().nullable(),
  ended_at: z.string().nullable(),
});
export type HostileAttempt = z.output<typeof attemptSchema>;
const treeSchema = z.looseObject({ processes: z.array(z.looseObject({ pid: z.int() })) });

export class HostileLab implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly times: AnswerTimes[] = [];

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  static async start(): Promise<HostileLab> {
    const sandbox = await Sandbox.create({ config: {} });
    const { directory } = sandbox;
    await mkdir(join(directory, 'tokens'));
    await mkdir(join(directory, 'house'));
    await writeFile(
      join(directory, 'spoken-to'),
      `#!/bin/sh\n{ ${beginIn(directory)}; } >&2\nexec sleep 600\n`,
      {
        mode: 0o755,
      },
    );
    await sandbox.configure(configIn(directory));
    await sandbox.up();
    return new HostileLab(sandbox);
  }

  pathOf(...names: readonly string[]): string {
    return join(this.sandbox.directory, ...names);
  }

  dataPath(...names: readonly string[]): string {
    return this.pathOf('.signalbox', ...names);
  }

  /** Asks meanwhile whether Signalbox is ready. */
  async during(work: () => Promise<void>): Promise<void> {
    this.times.push(await answerTimesDuring(`${this.sandbox.url}/ready`, work));
  }

  /**
   * Runs tasks until agents are started by the launch shell, as they are after the first seconds: a shell that is blocked would
   * block the starts of all. Returns at last also if this system has no such shell.
   */
  async launchShellIsUsed(): Promise<void> {
    const end = performance.now() + 12_000;
    for (let number = 0; performance.now() < end; number++) {
      const id = `first-${number}`;
      await this.create([{ id, agent: 'quiet' }]);
      await this.haveBegun([{ id }]);
      const path = `${PROJECT}/tasks/${id}/attempts/1/processes`;
      const [launcher] = treeSchema.parse(await this.sandbox.get(path)).processes;
      const stat = await readFile(`/proc/${launcher?.pid}/stat`, 'latin1').catch(() => '');
      await this.sandbox.post(`${PROJECT}/tasks/${id}/cancel`, {});
      if (stat !== '' && !stat.includes(` ${this.sandbox.pid} `)) return;
    }
  }

  async create(tasks: readonly Pick<HostileCase, 'id' | 'agent'>[]): Promise<void> {
    await inParallel(tasks, async ({ id, agent }) => {
      const answer = await this.sandbox.post(`${PROJECT}/tasks`, { id, title: id, agent });
      if (answer.status !== 201) throw new Error(`${id}: ${answer.status} ${await answer.text()}`);
    });
  }

  async replace(cases: readonly HostileCase[]): Promise<void> {
    await Promise.all(
      HOSTILE_KINDS.map((kind) => {
        const own = cases.filter((each) => each.kind === kind);
        return replaceBy(
          kind,
          own.flatMap(({ id, targets }) =>
            targets.map((target) => this.dataPath('attempts', 'demo', id, '1', target)),
          ),
        );
      }),
    );
  }

  /** Null if it has not been claimed. */
  async #attempt(id: string): Promise<HostileAttempt | null> {
    const answer = await fetch(`${this.sandbox.url}${PROJECT}/tasks/${id}/attempts/1`);
    const body: unknown = await answer.json();
    return answer.status === 404 ? null : attemptSchema.parse(body);
  }

  /** Returns when each of them has begun, and noted its token. */
  async haveBegun(tasks: readonly Pick<HostileCase, 'id'>[]): Promise<void> {
    const begun = async (): Promise<boolean> => {
      const noted = new Set(await readdir(this.pathOf('tokens')));
      return tasks.every(({ id }) => noted.has(id));
    };
    await until(begun, 'all have begun', 60_000);
  }

  /** @returns them all when they have ended */
  async haveEnded(cases: readonly Pick<HostileCase, 'id'>[], limitMs: number): Promise<HostileAttempt[]> {
    const ended: HostileAttempt[] = [];
    for (const { id } of cases) {
      await until(
        async () => {
          const attempt = await this.#attempt(id);
          if (attempt === null || attempt.outcome === null) return false;
          ended.push(attempt);
          return true;
        },
        `${id} has ended`,
        limitMs,
      );
    }
    return ended;
  }

  /** Asks for everything that Signalbox reads from the files of an attempt. */
  async readEverything(cases: readonly HostileCase[]): Promise<void> {
    const parts = ['log?stream=stdout', 'processes'];
    await inParallel(cases, async ({ id }) => {
      for (const part of parts) {
        const answer = await fetch(`${this.sandbox.url}${PROJECT}/tasks/${id}/attempts/1/${part}`);
        await answer.arrayBuffer();
        if (![200, 404].includes(answer.status)) throw new Error(`${id}, ${part}: ${answer.status}`);
      }
    });
  }

  /** As the agent of the task. */
  async write(id: string, path: string, body: object): Promise<Response> {
    const token = (await readFile(this.pathOf('tokens', id), 'utf8')).trim();
    return fetch(`${this.sandbox.url}${PROJECT}/tasks/${id}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox.kill('SIGKILL');
    for (const pid of await survivors(this.sandbox.directory)) process.kill(pid, 'SIGKILL');
    await this.sandbox[Symbol.asyncDispose]();
  }
}

/** A few at once, as clients do. */
export async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const lane = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}
