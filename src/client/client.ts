/**
 * A typed client of the HTTP surface.
 *
 * T1 A request is repeated only where a repeat cannot do anything twice: reads, bare heartbeats, and creations that
 *    carry an id or an idempotency key.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { RejectionRecord } from '../contracts/agent-messages.ts';
import {
  type AgentAnswer,
  type AttemptAnswer,
  type AttemptProcesses,
  type AuditKeyAnswer,
  type DeadLetterPage,
  type HealthReport,
  LOG_HEADERS,
  type RedriveAnswer,
  type StateAnswer,
  type TaskAnswer,
  type TaskPageAnswer,
} from '../contracts/answers.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { agentId, projectId, taskId } from '../contracts/ids.ts';
import type {
  AddComment,
  createTaskSchema,
  Decision,
  Heartbeat,
  Kill,
  listDeadLettersSchema,
  ReadState,
  Redact,
  readLogSchema,
  redriveSchema,
} from '../contracts/requests.ts';
import type { TaskState } from '../contracts/tasks.ts';
import type { WhyAnswer } from '../contracts/why.ts';
import { type RetryPolicy, waitBefore } from './retry.ts';
import { type Reply, type Request, send } from './transport.ts';

/** A task as its creator writes it: defaults may be left out. */
export type NewTask = z.input<typeof createTaskSchema>;

export interface CreatedTask {
  readonly task: TaskAnswer;
  /** false where an earlier, equal request had created it; one whose answer was lost, for example. */
  readonly created: boolean;
}

export interface TaskFilter {
  /** All projects where it is absent. */
  readonly project?: string;
  readonly state?: readonly TaskState[];
  readonly agent?: string;
  /** 1 to 1,000. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: number;
}

export type DecisionName = 'approve' | 'reject' | 'cancel' | 'block' | 'unblock' | 'retry';

export type AgentDecisionName = 'pause' | 'drain' | 'resume';

export type DeadLetterFilter = Partial<z.output<typeof listDeadLettersSchema>>;

export type RedriveRequest = z.input<typeof redriveSchema>;

export type LogQuery = Partial<z.output<typeof readLogSchema>>;

/** A part of what an attempt has printed. */
export interface LogPart {
  readonly text: string;
  /** Where it begins, in bytes: not where it was asked for if what stood there was dropped. */
  readonly offset: number;
  /** Ask from here on for what follows. */
  readonly nextOffset: number;
  /** Whether nothing follows any more. */
  readonly isComplete: boolean;
}

export type TaskPart = 'outputs' | 'comments' | 'attempts' | 'events' | 'all';

export interface ClientOptions {
  /** `http://127.0.0.1:8083` by default. */
  readonly url?: string | undefined;
  /** Milliseconds that one request may take, its answer included; 30,000 by default. */
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** Of an attempt, for an agent that speaks for it. */
  readonly token?: string | undefined;
}

export const DEFAULT_URL = 'http://127.0.0.1:8083';
const TIMEOUT_MS = 30_000;

const RETRY: RetryPolicy = {
  retries: 4,
  initialMs: 100,
  maxMs: 5_000,
  longestWaitMs: 30_000,
  random: Math.random,
  sleep: async (ms) => sleep(ms),
};

/**
 * Every call throws a SignalboxError with the code that Signalbox gave, `unreachable` where it gives none, and
 * `invalid_id` for an id that it would not take.
 */
export class SignalboxClient {
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #retry: RetryPolicy;
  readonly #token: string | undefined;

  /** @throws SignalboxError `invalid_request` where `url` is not one */
  constructor({ url = DEFAULT_URL, timeoutMs = TIMEOUT_MS, retry, token }: ClientOptions = {}) {
    if (!URL.canParse(url) || !/^https?:/.test(url)) {
      throw new SignalboxError(
        'invalid_request',
        `${JSON.stringify(url)} is not an address of Signalbox: give a URL as in ${DEFAULT_URL}`,
      );
    }
    this.#url = url.replace(/\/+$/, '');
    this.#timeoutMs = timeoutMs;
    this.#retry = { ...RETRY, ...retry };
    this.#token = token;
  }

  async createTask(project: string, task: NewTask): Promise<CreatedTask> {
    const isKeyed = task.id !== undefined || task.idempotency_key !== undefined;
    const request = { method: 'POST', body: task } as const;
    const { status, body } = await this.#call(tasksPath(project), request, isKeyed);
    return { task: body as TaskAnswer, created: status === 201 };
  }

  async getTask(project: string, id: string, expand: readonly TaskPart[] = []): Promise<TaskAnswer> {
    return (await this.#read(taskPath(project, id), { expand })) as TaskAnswer;
  }

  async listTasks({ project, ...filter }: TaskFilter = {}): Promise<TaskPageAnswer> {
    const path = project === undefined ? '/api/tasks' : tasksPath(project);
    return (await this.#read(path, filter)) as TaskPageAnswer;
  }

  /** A rejection needs a comment. */
  async decide(
    project: string,
    id: string,
    decision: DecisionName,
    details: Decision = {},
  ): Promise<TaskAnswer> {
    return (await this.#write(`${taskPath(project, id)}/${decision}`, details)) as TaskAnswer;
  }

  /** Erases the content of one event of the task from the log, for good. */
  async redact(project: string, id: string, request: Redact): Promise<TaskAnswer> {
    return (await this.#write(`${taskPath(project, id)}/redact`, request)) as TaskAnswer;
  }

  async comment(project: string, id: string, comment: Required<AddComment>): Promise<TaskAnswer> {
    return (await this.#write(`${taskPath(project, id)}/comments`, comment)) as TaskAnswer;
  }

  /** Why a task is not running, or not done. */
  async why(project: string, id: string): Promise<WhyAnswer> {
    return (await this.#read(`${taskPath(project, id)}/why`)) as WhyAnswer;
  }

  /** A sign of life of the attempt that the client's token belongs to. */
  async heartbeat(project: string, id: string, heartbeat: Heartbeat = {}): Promise<TaskAnswer> {
    const request = { method: 'POST', body: heartbeat } as const;
    const isRecorded = heartbeat.detail !== undefined;
    return (await this.#call(`${taskPath(project, id)}/heartbeat`, request, !isRecorded)).body as TaskAnswer;
  }

  async attempt(project: string, id: string, number: number): Promise<AttemptAnswer> {
    return (await this.#read(attemptPath(project, id, number))) as AttemptAnswer;
  }

  async attemptLog(project: string, id: string, number: number, query: LogQuery = {}): Promise<LogPart> {
    const path = `${attemptPath(project, id, number)}/log${textOf(query)}`;
    const { body, headers } = await this.#call(path, { method: 'GET', answer: 'text' }, true);
    return {
      text: body as string,
      offset: Number(headers.get(LOG_HEADERS.offset)),
      nextOffset: Number(headers.get(LOG_HEADERS.nextOffset)),
      isComplete: headers.get(LOG_HEADERS.complete) === 'true',
    };
  }

  /** Asks for the end of an open attempt; the answer does not wait for it. */
  async killAttempt(project: string, id: string, number: number, details: Kill = {}): Promise<AttemptAnswer> {
    return (await this.#write(`${attemptPath(project, id, number)}/kill`, details)) as AttemptAnswer;
  }

  /** Every open attempt with its living processes. */
  async processes(): Promise<readonly AttemptProcesses[]> {
    const { attempts } = (await this.#read('/api/processes')) as {
      readonly attempts: readonly AttemptProcesses[];
    };
    return attempts;
  }

  async deadLetters(filter: DeadLetterFilter = {}): Promise<DeadLetterPage> {
    return (await this.#read('/api/dead-letters', filter)) as DeadLetterPage;
  }

  async redrive(request: RedriveRequest): Promise<RedriveAnswer> {
    return (await this.#write('/api/dead-letters/redrive', request)) as RedriveAnswer;
  }

  async agents(): Promise<readonly AgentAnswer[]> {
    const { agents } = (await this.#read('/api/agents')) as { readonly agents: readonly AgentAnswer[] };
    return agents;
  }

  /** One agent, and what it is doing. */
  async agent(id: string): Promise<AgentAnswer> {
    return (await this.#read(agentPath(id))) as AgentAnswer;
  }

  /** Messages of agents that were refused, the newest first. */
  async rejectedMessages(
    query: { readonly agent?: string | undefined; readonly limit?: number | undefined } = {},
  ): Promise<readonly RejectionRecord[]> {
    const answer = (await this.#read('/api/rejected-messages', query)) as {
      readonly rejected_messages: readonly RejectionRecord[];
    };
    return answer.rejected_messages;
  }

  async decideAgent(id: string, decision: AgentDecisionName, details: Decision = {}): Promise<AgentAnswer> {
    return (await this.#write(`${agentPath(id)}/${decision}`, details)) as AgentAnswer;
  }

  /** The keys that sign checkpoints, in the order of their introduction; the last one is in use. */
  async auditKeys(): Promise<readonly AuditKeyAnswer[]> {
    return ((await this.#read('/api/audit/keys')) as { readonly keys: readonly AuditKeyAnswer[] }).keys;
  }

  /** Introduces a new key. @returns all keys */
  async rotateAuditKey(details: Kill = {}): Promise<readonly AuditKeyAnswer[]> {
    const answer = await this.#write('/api/audit/keys/rotate', details);
    return (answer as { readonly keys: readonly AuditKeyAnswer[] }).keys;
  }

  /** The state as hashes, page by page. */
  async state(query: Partial<ReadState> = {}): Promise<StateAnswer> {
    return (await this.#read('/api/state', query)) as StateAnswer;
  }

  async health(): Promise<HealthReport> {
    return (await this.#read('/health')) as HealthReport;
  }

  async #read(path: string, query: Query = {}): Promise<unknown> {
    return (await this.#call(path + textOf(query), { method: 'GET' }, true)).body;
  }

  async #write(path: string, body: unknown): Promise<unknown> {
    return (await this.#call(path, { method: 'POST', body }, false)).body;
  }

  async #call(path: string, request: Request, isRepeatable: boolean): Promise<Extract<Reply, { ok: true }>> {
    const url = new URL(this.#url + path);
    for (let number = 1; ; number++) {
      const reply = await send(url, { ...request, token: this.#token }, this.#timeoutMs);
      if (reply.ok) return reply;
      const mayRepeat = isRepeatable && reply.isPassing;
      const wait = mayRepeat ? waitBefore(number, reply.retryAfterMs, this.#retry) : null;
      if (wait === null) throw reply.error;
      await this.#retry.sleep(wait);
    }
  }
}

type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Lists are written with commas; what is absent or empty is left out. */
function textOf(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const text = String(value ?? '');
    if (text !== '') params.set(name, text);
  }
  return params.size === 0 ? '' : `?${params}`;
}

/** Ids are checked here, since a URL would take one like ".." for a way up. */
function tasksPath(project: string): string {
  return `/api/projects/${projectId(project)}/tasks`;
}

function taskPath(project: string, id: string): string {
  return `${tasksPath(project)}/${taskId(id)}`;
}

function attemptPath(project: string, id: string, number: number): string {
  return `${taskPath(project, id)}/attempts/${number}`;
}

function agentPath(id: string): string {
  return `/api/agents/${agentId(id)}`;
}
