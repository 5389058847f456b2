/** Subagents and full agents inside an OpenClaw Gateway, supervised like processes. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readIfExists, replaceDurably } from '../../base/files.ts';
import { sha256 } from '../../base/hash.ts';
import { limitedSignal } from '../../base/time.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { attemptKey, taskKey } from '../../contracts/ids.ts';
import {
  defineDriver,
  idSchema,
  localOptions,
  sessionSchema,
  textSchema,
  variableSchema,
} from '../definition.ts';
import type { Adoption, Driver, Run, RunEnd, RunRequest } from '../driver.ts';
import { type Answer, type GatewayCall, GatewayClosed, type GatewayConnection } from './connection.ts';
import { type GatewayOutcome, GatewayRun } from './gateway-run.ts';
import { GatewayLink } from './link.ts';
import { type AgentRequest, callAgent, endOfAnswer, spawnSession } from './requests.ts';

const urlError = 'expected a URL that begins with ws:// or wss://';
const schema = z.strictObject({
  driver: z.literal('openclaw-gateway').describe('A run inside an OpenClaw Gateway, over its WebSocket.'),
  url: z
    .url({ protocol: /^wss?$/, error: urlError })
    .default('ws://127.0.0.1:18789')
    .describe('Where the Gateway listens.'),
  token_env: variableSchema
    .default('OPENCLAW_GATEWAY_TOKEN')
    .describe("The variable of Signalbox's own environment that holds the Gateway's token."),
  mode: z
    .enum(['subagent', 'agent', 'sessions_spawn'])
    .default('subagent')
    .describe(
      'A subagent, the full agent, or a subagent by the tool sessions_spawn, which the Gateway must allow.',
    ),
  agent_id: idSchema.default('main').describe('The agent of the Gateway.'),
  model: textSchema.optional(),
  thinking: textSchema.optional(),
  session: sessionSchema,
  ...localOptions,
});

export const gatewayDriver = defineDriver({
  name: 'openclaw-gateway',
  schema,
  create: (agent, { env, installation }) =>
    new GatewayDriver({ ...agent, token: env[agent.token_env] ?? '', installation }),
  listing: {
    program: '-',
    prompt: 'frame',
    session: 'caller',
    output: 'frame',
    description: 'a subagent inside an OpenClaw Gateway',
  },
});

export type GatewaySettings = Pick<
  z.output<typeof schema>,
  'url' | 'mode' | 'agent_id' | 'model' | 'thinking' | 'cwd' | 'session'
> & {
  readonly token: string;
  readonly installation: string;
  /** How long to wait for signs of a run that the Gateway does not know. Default: 5 s. */
  readonly unknownMs?: number;
};

/** How long a start waits for a connection. */
const MAX_CONNECT_MS = 30_000;
const UNKNOWN_MS = 5_000;

export class GatewayDriver implements Driver {
  readonly name = 'openclaw-gateway';
  readonly writesBack = true;
  readonly adoptable = true;
  /** The tools run inside the Gateway and see its environment. */
  readonly prompting = { isPublic: false, passesEnvironment: false };
  readonly resumes: boolean;
  readonly #settings: GatewaySettings;
  readonly #link: GatewayLink;
  readonly #closing = new AbortController();

  constructor(settings: GatewaySettings) {
    this.#settings = settings;
    this.#link = new GatewayLink({ url: settings.url, token: settings.token });
    this.resumes = settings.session === 'resume' && settings.mode !== 'sessions_spawn';
  }

  async start(request: RunRequest): Promise<Run> {
    const holder = {};
    this.#link.hold(holder);
    try {
      const connection = await this.#connect();
      return this.#settings.mode === 'sessions_spawn'
        ? await this.#startSpawned(connection, request)
        : await this.#startAgent(connection, request);
    } finally {
      this.#link.release(holder);
    }
  }

  async adopt(request: RunRequest): Promise<Adoption> {
    const record = await readRecord(request.directory);
    if (!record) return { kind: 'never_started' };
    if (record.run !== null && record.session !== null)
      return {
        kind: 'running',
        run: this.#runOf(request, record.run, record.session, null, record.isAccepted),
      };
    // A spawn was requested, and its answer is not known: the same key gives the same run.
    return { kind: 'starting', run: this.start(request) };
  }

  close(): void {
    this.#closing.abort();
    this.#link.close();
  }

  async #startAgent(connection: GatewayConnection, request: RunRequest): Promise<Run> {
    const params = this.#paramsOf(request);
    const { idempotencyKey: run, sessionKey: session } = params;
    await writeRecord(request.directory, { run, session, isAccepted: false });
    const call = callAgent(connection, params, request.traceparent);
    const first = await this.#firstOf(call);
    if (first && !first.ok) {
      await removeRecord(request.directory);
      const end = endOfAnswer(first);
      const why = end === 'in_flight' || end.error === undefined ? 'no reason given' : end.error;
      throw this.#refused(why);
    }
    if (first) await writeRecord(request.directory, { run, session, isAccepted: true });
    return this.#runOf(request, run, session, first ? call : null, first !== null);
  }

  /** Null if the connection broke before: whether the run has begun has to be found out. */
  async #firstOf(call: GatewayCall): Promise<Answer | null> {
    try {
      return await call.first;
    } catch (error) {
      if (error instanceof GatewayClosed) return null;
      throw error;
    }
  }

  async #startSpawned(connection: GatewayConnection, request: RunRequest): Promise<Run> {
    await writeRecord(request.directory, { run: null, session: null, isAccepted: false });
    for (let current = connection; ; current = await this.#connect()) {
      const spawned = await spawnSession(current, this.#paramsOf(request), request.traceparent).catch(
        (error: unknown) => {
          if (error instanceof GatewayClosed && !error.isFatal) return null;
          throw error;
        },
      );
      if (!spawned) continue;
      if ('refusal' in spawned) {
        await removeRecord(request.directory);
        throw this.#refused(spawned.refusal);
      }
      const { run, session } = spawned;
      await writeRecord(request.directory, { run, session, isAccepted: true });
      return this.#runOf(request, run, session, null, true);
    }
  }

  /** @throws SignalboxError `spawn_failed`: nothing was sent */
  async #connect(): Promise<GatewayConnection> {
    using limited = limitedSignal(this.#closing.signal, MAX_CONNECT_MS);
    try {
      return await this.#link.reconnect(limited.signal);
    } catch (error) {
      throw this.#refused(messageOf(error));
    }
  }

  #refused(why: string): SignalboxError {
    return new SignalboxError(
      'spawn_failed',
      `the OpenClaw Gateway at ${this.#settings.url} did not start the run: ${why}`,
    );
  }

  #runOf(
    request: RunRequest,
    run: string,
    session: string,
    call: GatewayCall | null,
    isAccepted: boolean,
  ): Run {
    const params = this.#settings.mode === 'sessions_spawn' ? null : this.#paramsOf(request);
    const followed = new GatewayRun({
      link: this.#link,
      run,
      session,
      request: params,
      traceparent: request.traceparent,
      call,
      isAccepted,
      unknownMs: this.#settings.unknownMs ?? UNKNOWN_MS,
      onAccepted: () => writeRecord(request.directory, { run, session, isAccepted: true }),
    });
    return {
      start: { host: new URL(this.#settings.url).host, session },
      ended: followed.outcome.then((outcome) =>
        endOf(outcome, request, { run, session, aborted: followed.wasAborted }, this.#settings.model),
      ),
      lastSignAt: () => followed.lastSignAt,
      stop: (graceMs) => followed.stop(graceMs),
      detach: () => followed.detach(),
    };
  }

  /** Always the same for an attempt. */
  #paramsOf(request: RunRequest): AgentRequest {
    const { mode, agent_id: agentId, model, thinking, cwd, installation } = this.#settings;
    const name = sha256(`${installation}:${attemptKey(request)}`).slice(0, 20);
    const place = mode === 'agent' ? '' : 'subagent:';
    return {
      message: request.prompt(),
      agentId,
      sessionKey: request.resumes?.session ?? `agent:${agentId}:${place}signalbox-${name}`,
      idempotencyKey: `signalbox-${name}`,
      lane: mode === 'agent' ? undefined : 'subagent',
      timeout: Math.ceil(request.timeoutMs / 1_000),
      label: `${taskKey(request)} #${request.attempt}`,
      model,
      thinking,
      cwd,
    };
  }
}

function endOf(
  outcome: GatewayOutcome,
  { spec, agent }: RunRequest,
  evidence: { readonly run: string; readonly session: string; readonly aborted: boolean },
  model: string | undefined,
): RunEnd {
  const common = { session: evidence.session, evidence: { gateway: evidence } };
  if (outcome.kind === 'lost')
    return { result: { kind: 'lost', reason: outcome.reason }, outputs: [], ...common };
  const { isOk, text, error, usage } = outcome.end;
  const hasText = isOk && text !== undefined && text.trim() !== '';
  return {
    result: isOk ? { kind: 'returned' } : { kind: 'threw', error: error ?? 'the Gateway gave no reason' },
    outputs: hasText ? [{ type: 'document', title: spec.title, content: text, agent }] : [],
    usage: model === undefined ? usage : { ...usage, model: usage?.model ?? model },
    ...common,
  };
}

/** What a later Signalbox has to know about a run: written before the run is sent to the Gateway. */
const recordSchema = z.object({
  /** The Gateway's name for the run; null if the Gateway chooses it and has not answered yet. */
  run: z.string().nullable(),
  session: z.string().nullable(),
  /** Whether the Gateway has accepted the run. */
  isAccepted: z.boolean(),
});
type RunRecord = z.output<typeof recordSchema>;

const RECORD_FILE = 'gateway.json';

/** On disk when it resolves. @throws SignalboxError `spawn_failed` */
async function writeRecord(directory: string, record: RunRecord): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await replaceDurably(join(directory, RECORD_FILE), `${JSON.stringify(record)}\n`);
  } catch (cause) {
    const message = `cannot write the attempt's directory: ${messageOf(cause)}`;
    throw new SignalboxError('spawn_failed', message, { cause });
  }
}

/** Null if there is no record: nothing was sent. @throws SignalboxError `internal` if it cannot be read */
async function readRecord(directory: string): Promise<RunRecord | null> {
  const path = join(directory, RECORD_FILE);
  try {
    const text = await readIfExists(path);
    return text === null ? null : recordSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SignalboxError('internal', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

async function removeRecord(directory: string): Promise<void> {
  await rm(join(directory, RECORD_FILE), { force: true });
}
