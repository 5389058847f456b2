/**
 * A typed client of the HTTP surface.
 *
 * Reads, bare heartbeats, and creations that carry an id or an idempotency key are repeated (T1 of caller.ts).
 */
import type { z } from 'zod';
import { Lru } from '../base/lru.ts';
import {
  type AgentAnswer,
  type AttemptAnswer,
  type AttemptProcesses,
  type AuditKeyAnswer,
  type DeadLetterPage,
  type HealthReport,
  LOG_HEADERS,
  type QueueAnswer,
  type RedriveAnswer,
  type StateAnswer,
  type TaskAnswer,
  type TaskPageAnswer,
} from '../contracts/api/answers.ts';
import type { AuditStatusAnswer } from '../contracts/api/audit-status.ts';
import { MAX_WAIT_SECONDS } from '../contracts/api/jobs.ts';
import type {
  AddComment,
  Attribution,
  createTaskSchema,
  Decision,
  Heartbeat,
  listDeadLettersSchema,
  ReadState,
  Redact,
  readLogSchema,
  redriveSchema,
} from '../contracts/api/requests.ts';
import type { ChooseLetters, Redelivered, WebhookAnswer, WebhookLetter } from '../contracts/api/webhooks.ts';
import type { WhyAnswer } from '../contracts/api/why.ts';
import { agentId, checkedId, projectId, taskId } from '../contracts/ids.ts';
import type { RejectionRecord } from '../contracts/messages/agent-messages.ts';
import { SETTLED_STATES, type TaskState } from '../contracts/tasks.ts';
import type { IncomingTrace } from '../contracts/trace-context.ts';
import { AgentWordsClient } from './agent-words.ts';
import { BackgroundClient } from './background.ts';
import { Caller, type ClientOptions, type Query, textOf } from './caller.ts';
import { type EventAnswer, type EventQuery, followEvents } from './events.ts';
import { JobsClient } from './jobs.ts';

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
  readonly status?: readonly TaskState[];
  readonly agent?: string;
  /** 1 to 1,000. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: number;
}

export type DecisionName = 'approve' | 'reject' | 'cancel' | 'block' | 'unblock' | 'retry';

export type AgentDecisionName = 'pause' | 'drain' | 'resume';

export type QueueDecisionName = 'pause' | 'resume';

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

export { type ClientOptions, DEFAULT_URL } from './caller.ts';

/** Tasks whose answers are kept, where nothing else is said. */
const CACHE_SIZE = 1_000;
/** Milliseconds that receivers of webhooks may take together. */
const REDELIVERY_MS = 60_000;

/**
 * Every call throws a SignalboxError with the code that Signalbox gave, `unreachable` where it gives none, and
 * `invalid_id` for an id that it would not take.
 */
export class SignalboxClient {
  /** The plain job API. */
  readonly jobs: JobsClient;
  /** What an agent says of its task. */
  readonly words: AgentWordsClient;
  /** Background commands. */
  readonly background: BackgroundClient;
  readonly #caller: Caller;
  readonly #tasks: Lru<string, { readonly etag: string; readonly task: TaskAnswer }>;

  /** @throws SignalboxError `invalid_request` where `url` is not one */
  constructor(options: ClientOptions = {}) {
    const { cacheSize = CACHE_SIZE } = options;
    this.#caller = new Caller(options);
    this.#tasks = new Lru(Math.max(cacheSize, 1));
    this.words = new AgentWordsClient(this.#caller);
    this.background = new BackgroundClient(this.#caller);
    this.jobs = new JobsClient(this.#caller, new Lru(cacheSize));
  }

  /** @param trace where in a trace it is asked for; where the client is, if nothing is said */
  async createTask(project: string, task: NewTask, trace: IncomingTrace = {}): Promise<CreatedTask> {
    const isKeyed = task.id !== undefined || task.idempotency_key !== undefined;
    const request = { method: 'POST', body: task, headers: { ...trace } } as const;
    const { status, body } = await this.#caller.call(tasksPath(project), request, isKeyed);
    return { task: body as TaskAnswer, created: status === 201 };
  }

  async getTask(project: string, id: string, expand: readonly TaskPart[] = []): Promise<TaskAnswer> {
    return this.#task(taskPath(project, id), expand);
  }

  /** The task, once it is done, failed, cancelled or expired. The server is asked to wait, again and again. */
  async settledTask(project: string, id: string, expand: readonly TaskPart[] = []): Promise<TaskAnswer> {
    for (;;) {
      const task = await this.#task(taskPath(project, id), expand, MAX_WAIT_SECONDS);
      if (SETTLED_STATES.has(task.status)) return task;
    }
  }

  /** The task, once it is another than this client has seen last; as it is, after a minute without news. */
  async nextOfTask(project: string, id: string): Promise<TaskAnswer> {
    return this.#task(taskPath(project, id), [], MAX_WAIT_SECONDS);
  }

  /** Every event from a place in the log on, and then as it comes, over interruptions and restarts. */
  events(query: EventQuery = {}): AsyncGenerator<EventAnswer> {
    return followEvents(this.#caller, query);
  }

  async queues(): Promise<readonly QueueAnswer[]> {
    const { queues } = (await this.#read('/api/queues')) as { readonly queues: readonly QueueAnswer[] };
    return queues;
  }

  /** @param kind `agent` for the tasks of one agent, `type` for those of one type */
  async decideQueue(
    kind: QueueAnswer['kind'],
    name: string,
    decision: QueueDecisionName,
    details: Decision = {},
  ): Promise<QueueAnswer> {
    const path = `/api/queues/${kind}/${checkedId(kind, name)}/${decision}`;
    return (await this.#write(path, details)) as QueueAnswer;
  }

  async webhooks(): Promise<readonly WebhookAnswer[]> {
    const { webhooks } = (await this.#read('/api/webhooks')) as {
      readonly webhooks: readonly WebhookAnswer[];
    };
    return webhooks;
  }

  async webhookLetters(id: string): Promise<readonly WebhookLetter[]> {
    const answer = await this.#read(`${webhookPath(id)}/dead-letters`);
    return (answer as { readonly dead_letters: readonly WebhookLetter[] }).dead_letters;
  }

  async redeliverWebhook(id: string, choice: ChooseLetters): Promise<Redelivered> {
    const request = { method: 'POST', body: choice } as const;
    const path = `${webhookPath(id)}/redeliver`;
    return (await this.#caller.call(path, request, false, REDELIVERY_MS)).body as Redelivered;
  }

  async discardWebhookLetters(id: string, choice: ChooseLetters): Promise<Redelivered> {
    return (await this.#write(`${webhookPath(id)}/discard`, choice)) as Redelivered;
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

  comment(project: string, id: string, comment: Required<AddComment>): Promise<TaskAnswer> {
    return this.words.comment(project, id, comment);
  }

  /** Why a task is not running, or not done. */
  async why(project: string, id: string): Promise<WhyAnswer> {
    return (await this.#read(`${taskPath(project, id)}/why`)) as WhyAnswer;
  }

  /** A sign of life of the attempt that the client's token belongs to. */
  heartbeat(project: string, id: string, heartbeat: Heartbeat = {}): Promise<TaskAnswer> {
    return this.words.heartbeat(project, id, heartbeat);
  }

  async attempt(project: string, id: string, number: number): Promise<AttemptAnswer> {
    return (await this.#read(attemptPath(project, id, number))) as AttemptAnswer;
  }

  async attemptLog(project: string, id: string, number: number, query: LogQuery = {}): Promise<LogPart> {
    const path = `${attemptPath(project, id, number)}/log${textOf(query)}`;
    const { body, headers } = await this.#caller.call(path, { method: 'GET', answer: 'text' }, true);
    return {
      text: body as string,
      offset: Number(headers.get(LOG_HEADERS.offset)),
      nextOffset: Number(headers.get(LOG_HEADERS.nextOffset)),
      isComplete: headers.get(LOG_HEADERS.complete) === 'true',
    };
  }

  /** Asks for the end of an open attempt; the answer does not wait for it. */
  async killAttempt(
    project: string,
    id: string,
    number: number,
    details: Attribution = {},
  ): Promise<AttemptAnswer> {
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
  async rotateAuditKey(details: Attribution = {}): Promise<readonly AuditKeyAnswer[]> {
    const answer = await this.#write('/api/audit/keys/rotate', details);
    return (answer as { readonly keys: readonly AuditKeyAnswer[] }).keys;
  }

  /** How far the log is signed, and its newest verification. */
  async auditStatus(): Promise<AuditStatusAnswer> {
    return (await this.#read('/api/audit/status')) as AuditStatusAnswer;
  }

  /** The state as hashes, page by page. */
  async state(query: Partial<ReadState> = {}): Promise<StateAnswer> {
    return (await this.#read('/api/state', query)) as StateAnswer;
  }

  /** Drops the snapshots: the next start reads the whole log. */
  async dropSnapshots(): Promise<void> {
    await this.#write('/api/state/drop-snapshots', {});
  }

  async health(): Promise<HealthReport> {
    return (await this.#read('/health')) as HealthReport;
  }

  /** What is known already is asked for with its ETag, and not sent again. */
  async #task(path: string, expand: readonly TaskPart[], wait?: number): Promise<TaskAnswer> {
    const key = path + textOf({ expand });
    const known = this.#tasks.get(key);
    const request = { method: 'GET', headers: { 'if-none-match': known?.etag } } as const;
    const target = path + textOf({ expand, wait });
    const { status, headers, body } = await this.#caller.call(target, request, true, (wait ?? 0) * 1_000);
    if (status === 304 && known) return known.task;
    const task = body as TaskAnswer;
    const etag = headers.get('etag');
    if (etag !== null) this.#tasks.set(key, { etag, task });
    return task;
  }

  #read(path: string, query: Query = {}): Promise<unknown> {
    return this.#caller.read(path, query);
  }

  #write(path: string, body: unknown): Promise<unknown> {
    return this.#caller.write(path, body);
  }
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

function webhookPath(id: string): string {
  return `/api/webhooks/${checkedId('webhook', id)}`;
}
