/** Subagents and full agents inside an OpenClaw Gateway, supervised like processes. */
import { createHash } from 'node:crypto';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { Adoption, Driver, Run, RunEnd, RunOrder } from '../driver.ts';
import { type Answer, type Call, GatewayClosed, type GatewayConnection } from './connection.ts';
import { type GatewayOutcome, GatewayRun } from './gateway-run.ts';
import { GatewayLink } from './link.ts';
import { type AgentRequest, callAgent, endOfAnswer, spawnSession } from './requests.ts';
import { type RunRecord, readRecord, removeRecord, writeRecord } from './run-record.ts';

export interface GatewaySettings {
  readonly url: string;
  readonly token: string;
  readonly mode: 'subagent' | 'agent' | 'sessions_spawn';
  /** The agent of the Gateway. */
  readonly agentId: string;
  readonly model?: string | undefined;
  readonly thinking?: string | undefined;
  readonly cwd?: string | undefined;
  readonly resume: boolean;
  /** Makes the names of runs differ from those of another Signalbox at the same Gateway. */
  readonly installation: string;
  /** How long to listen for signs of a run that the Gateway does not know. Default: 5 s. */
  readonly unknownMs?: number;
}

/** How long a start waits for the Gateway to be there and to take the run on. */
const START_MS = 30_000;
const UNKNOWN_MS = 5_000;

export class GatewayDriver implements Driver {
  readonly name = 'openclaw-gateway';
  readonly writesBack = true;
  readonly adoptable = true;
  /** The tools run inside the Gateway, and see its environment. */
  readonly prompting = { isPublic: false, passesEnvironment: false };
  readonly resumes: boolean;
  readonly #settings: GatewaySettings;
  readonly #link: GatewayLink;

  constructor(settings: GatewaySettings) {
    this.#settings = settings;
    this.#link = new GatewayLink({ url: settings.url, token: settings.token });
    this.resumes = settings.resume && settings.mode !== 'sessions_spawn';
  }

  async start(order: RunOrder): Promise<Run> {
    const holder = {};
    this.#link.hold(holder);
    try {
      const connection = await this.#connect();
      return this.#settings.mode === 'sessions_spawn'
        ? await this.#startSpawned(connection, order)
        : await this.#startAgent(connection, order);
    } finally {
      this.#link.release(holder);
    }
  }

  async adopt(order: RunOrder): Promise<Adoption> {
    const record = await readRecord(order.directory);
    if (!record) return { kind: 'never_started' };
    if (record.run !== null && record.session !== null)
      return {
        kind: 'running',
        run: this.#runOf(order, record.run, record.session, { call: null, isAccepted: record.isAccepted }),
      };
    // A spawn was asked for, and its answer is not known: under the same key it is the same one.
    return { kind: 'running', run: await this.start(order) };
  }

  async #startAgent(connection: GatewayConnection, order: RunOrder): Promise<Run> {
    const request = this.#requestOf(order);
    const { idempotencyKey: run, sessionKey: session } = request;
    await writeRecord(order.directory, { run, session, isAccepted: false });
    const call = callAgent(connection, request, order.traceparent);
    const first = await this.#firstOf(call);
    if (first && !first.ok) {
      await removeRecord(order.directory);
      const end = endOfAnswer(first);
      const why = end === 'in_flight' || end.error === undefined ? 'no reason given' : end.error;
      throw this.#refused(why);
    }
    if (first) await writeRecord(order.directory, { run, session, isAccepted: true });
    return this.#runOf(order, run, session, { call: first ? call : null, isAccepted: first !== null });
  }

  /** null where the connection broke before: whether it was taken on has to be found out. */
  async #firstOf(call: Call): Promise<Answer | null> {
    try {
      return await call.first;
    } catch (error) {
      if (error instanceof GatewayClosed) return null;
      throw error;
    }
  }

  async #startSpawned(connection: GatewayConnection, order: RunOrder): Promise<Run> {
    await writeRecord(order.directory, { run: null, session: null, isAccepted: false });
    for (let current = connection; ; current = await this.#connect()) {
      const spawned = await spawnSession(current, this.#requestOf(order), order.traceparent).catch(
        (error: unknown) => {
          if (error instanceof GatewayClosed && !error.isFatal) return null;
          throw error;
        },
      );
      if (!spawned) continue;
      if ('refusal' in spawned) {
        await removeRecord(order.directory);
        throw this.#refused(spawned.refusal);
      }
      const { run, session } = spawned;
      await writeRecord(order.directory, { run, session, isAccepted: true });
      return this.#runOf(order, run, session, { call: null, isAccepted: true });
    }
  }

  /** @throws SignalboxError `spawn_failed`: nothing was sent */
  async #connect(): Promise<GatewayConnection> {
    const signal = AbortSignal.timeout(START_MS);
    try {
      return await this.#link.reconnect(signal);
    } catch (error) {
      throw this.#refused(messageOf(error));
    }
  }

  #refused(why: string): SignalboxError {
    return new SignalboxError(
      'spawn_failed',
      `the OpenClaw Gateway at ${this.#settings.url} took no run on: ${why}`,
    );
  }

  #runOf(
    order: RunOrder,
    run: string,
    session: string,
    { call, isAccepted }: { readonly call: Call | null } & Pick<RunRecord, 'isAccepted'>,
  ): Run {
    const request = this.#settings.mode === 'sessions_spawn' ? null : this.#requestOf(order);
    const followed = new GatewayRun({
      link: this.#link,
      run,
      session,
      request,
      traceparent: order.traceparent,
      call,
      isAccepted,
      unknownMs: this.#settings.unknownMs ?? UNKNOWN_MS,
      onAccepted: () => writeRecord(order.directory, { run, session, isAccepted: true }),
    });
    return {
      start: { host: new URL(this.#settings.url).host, session },
      ended: followed.outcome.then((outcome) =>
        endOf(outcome, order, { run, session, aborted: followed.wasAborted }),
      ),
      lastSignAt: () => followed.lastSignAt,
      stop: (graceMs) => followed.stop(graceMs),
      detach: () => followed.detach(),
    };
  }

  /** The same for an attempt whenever it is asked for. */
  #requestOf(order: RunOrder): AgentRequest {
    const { mode, agentId, model, thinking, cwd, installation } = this.#settings;
    const { project, task, attempt, timeoutMs, resumes } = order;
    const name = createHash('sha256')
      .update(`${installation}:${project}/${task}/${attempt}`)
      .digest('hex')
      .slice(0, 20);
    const place = mode === 'agent' ? '' : 'subagent:';
    return {
      message: order.prompt(),
      agentId,
      sessionKey: resumes?.session ?? `agent:${agentId}:${place}signalbox-${name}`,
      idempotencyKey: `signalbox-${name}`,
      lane: mode === 'agent' ? undefined : 'subagent',
      timeout: Math.ceil(timeoutMs / 1_000),
      label: `${project}/${task} #${attempt}`,
      model,
      thinking,
      cwd,
    };
  }
}

function endOf(
  outcome: GatewayOutcome,
  order: RunOrder,
  evidence: Readonly<Record<string, unknown>>,
): RunEnd {
  const session = evidence.session as string;
  if (outcome.kind === 'lost') {
    return {
      result: { kind: 'lost', reason: outcome.reason },
      outputs: [],
      session,
      evidence: { gateway: evidence },
    };
  }
  const { isOk, text, error, usage } = outcome.end;
  const hasText = isOk && text !== undefined && text.trim() !== '';
  return {
    result: isOk ? { kind: 'returned' } : { kind: 'threw', error: error ?? 'the Gateway gave no reason' },
    outputs: hasText
      ? [{ type: 'document', title: order.spec.title, content: text, agent: order.agent }]
      : [],
    usage,
    session,
    evidence: { gateway: evidence },
  };
}
