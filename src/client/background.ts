/** Background commands: start one, look at it, fetch what has finished. */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type {
  BackgroundAnswer,
  DrainAnswer,
  drainSchema,
  runBackgroundSchema,
  StartedBackground,
} from '../contracts/api/background.ts';
import { MAX_WAIT_SECONDS } from '../contracts/api/jobs.ts';
import type { Decision } from '../contracts/api/requests.ts';
import { BACKGROUND_PROJECT, taskId } from '../contracts/ids.ts';
import type { IncomingTrace } from '../contracts/trace-context.ts';
import { type Caller, textOf } from './caller.ts';

export type NewBackground = z.input<typeof runBackgroundSchema>;
export type Drain = z.input<typeof drainSchema>;

const COMMANDS = '/api/background';
/** A command is a task, and is ended as one. */
const TASKS = `/api/projects/${BACKGROUND_PROJECT}/tasks`;

export class BackgroundClient {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Answers at once. Sent again with its key where the answer was lost: it runs once. */
  async run(
    command: NewBackground,
    idempotencyKey: string = randomUUID(),
    trace: IncomingTrace = {},
  ): Promise<StartedBackground> {
    const request = {
      method: 'POST',
      body: command,
      headers: { 'idempotency-key': idempotencyKey, ...trace },
    } as const;
    return (await this.#caller.call(COMMANDS, request, true)).body as StartedBackground;
  }

  async check(id: string): Promise<BackgroundAnswer> {
    return (await this.#caller.read(`${COMMANDS}/${taskId(id)}`)) as BackgroundAnswer;
  }

  /** The command, once it is over. The server is asked to wait, again and again. */
  async settled(id: string): Promise<BackgroundAnswer> {
    const path = `${COMMANDS}/${taskId(id)}?wait=${MAX_WAIT_SECONDS}`;
    for (;;) {
      const { body } = await this.#caller.call(path, { method: 'GET' }, true, MAX_WAIT_SECONDS * 1_000);
      const answer = body as BackgroundAnswer;
      if (answer.status !== 'pending' && answer.status !== 'running') return answer;
    }
  }

  /** Ends it with all that it has started; the answer does not wait for that. */
  async kill(id: string, details: Decision = {}): Promise<BackgroundAnswer> {
    await this.#caller.write(`${TASKS}/${taskId(id)}/cancel`, details);
    return this.check(id);
  }

  async list(limit?: number): Promise<readonly BackgroundAnswer[]> {
    const { tasks } = (await this.#caller.read(COMMANDS + textOf({ limit }))) as {
      readonly tasks: readonly BackgroundAnswer[];
    };
    return tasks;
  }

  /** What has finished since the cursor's last drain. A lost answer is asked for again, and is the same. */
  async drain(request: Drain = {}): Promise<DrainAnswer> {
    const body = { drain_id: randomUUID(), ...request };
    return (await this.#caller.call(`${COMMANDS}/drain`, { method: 'POST', body }, true)).body as DrainAnswer;
  }
}
