/** The runs of a test Gateway: accepted, waited for, aborted and stored. */
import { randomUUID } from 'node:crypto';

type Answer = (frame: object) => void;
type Params = Record<string, unknown>;

export interface TestRun {
  readonly id: string;
  readonly session: string;
  readonly message: string;
  readonly params: Params;
  end: {
    readonly status: 'ok' | 'error' | 'timeout';
    readonly text?: string;
    readonly stopReason: string;
  } | null;
  readonly waiting: Set<() => void>;
}

const KNOWN_PARAMS = new Set([
  'message',
  'agentId',
  'sessionKey',
  'idempotencyKey',
  'deliver',
  'lane',
  'timeout',
  'label',
  'model',
  'thinking',
  'cwd',
]);

export class GatewayRuns {
  /** Every run that was begun, across all restarts. */
  readonly begun: TestRun[];
  readonly #sessions: Map<string, { role: string; content: string }[]>;
  readonly #live = new Map<string, TestRun>();

  constructor(begun: TestRun[] = [], sessions = new Map<string, { role: string; content: string }[]>()) {
    this.begun = begun;
    this.#sessions = sessions;
  }

  /** Running runs are gone, and the others are forgotten. */
  afterRestart(): GatewayRuns {
    return new GatewayRuns(this.begun, this.#sessions);
  }

  agent(params: Params, answer: Answer): void {
    const unknown = Object.keys(params).find((key) => !KNOWN_PARAMS.has(key));
    if (
      unknown !== undefined ||
      typeof params.message !== 'string' ||
      typeof params.idempotencyKey !== 'string'
    )
      return answer({
        ok: false,
        error: { code: 'INVALID_REQUEST', message: `invalid agent params: ${unknown}` },
      });
    if (params.agentId === 'absent')
      return answer({ ok: false, error: { code: 'INVALID_REQUEST', message: 'Unknown agent id "absent"' } });
    const id = params.idempotencyKey;
    if (this.#live.get(id)?.end === null)
      return answer({ ok: true, payload: { runId: id, status: 'in_flight' } });
    const run = this.#begin(id, String(params.sessionKey), params.message, params);
    answer({
      ok: true,
      payload: {
        runId: id,
        sessionKey: run.session,
        agentId: params.agentId,
        status: 'accepted',
        acceptedAt: Date.now(),
      },
    });
    run.waiting.add(() => answer(finalFrame(run)));
  }

  spawn({ args, idempotencyKey }: Params): object {
    const { task, ...rest } = args as Params & { task: string };
    const known = [...this.#live.values()].find((run) => run.params.idempotencyKey === idempotencyKey);
    const run =
      known ??
      this.#begin(randomUUID(), `agent:${rest.agentId}:subagent:${randomUUID()}`, task, {
        ...rest,
        idempotencyKey,
      });
    const details = {
      status: 'accepted',
      childSessionKey: run.session,
      runId: run.id,
      mode: 'run',
      expectsCompletionMessage: false,
    };
    return { ok: true, output: { content: [{ type: 'text', text: 'accepted' }], details } };
  }

  wait({ runId, timeoutMs }: Params, answer: Answer): void {
    const run = this.#live.get(String(runId));
    const expired = (): void => answer({ ok: true, payload: { runId, status: 'timeout' } });
    if (run?.end) return answer({ ok: true, payload: waited(run) });
    const timer = setTimeout(() => {
      run?.waiting.delete(ended);
      expired();
    }, Number(timeoutMs));
    const ended = (): void => {
      clearTimeout(timer);
      if (run) answer({ ok: true, payload: waited(run) });
    };
    timer.unref();
    run?.waiting.add(ended);
  }

  abort({ runId }: Params): object {
    const run = this.#live.get(String(runId));
    if (!run || run.end) return { ok: true, aborted: false, runIds: [] };
    this.finish(run, { status: 'error', stopReason: 'rpc' });
    return { ok: true, aborted: true, runIds: [run.id] };
  }

  tasks({ sessionKey }: Params): object[] {
    return [...this.#live.values()]
      .filter(({ session }) => session === sessionKey)
      .map(({ id, session, end }) => ({
        taskId: `task-${id}`,
        kind: 'agent',
        status:
          end === null
            ? 'running'
            : end.status === 'ok'
              ? 'completed'
              : end.status === 'timeout'
                ? 'timed_out'
                : 'failed',
        runId: id,
        childSessionKey: session,
      }));
  }

  history({ sessionKey }: Params): readonly object[] {
    return this.#sessions.get(String(sessionKey)) ?? [];
  }

  finish(run: TestRun, end: NonNullable<TestRun['end']>): void {
    run.end = end;
    if (end.text !== undefined)
      this.#sessions.get(run.session)?.push({ role: 'assistant', content: end.text });
    for (const wake of run.waiting) wake();
    run.waiting.clear();
  }

  #begin(id: string, session: string, message: string, params: Params): TestRun {
    const run: TestRun = { id, session, message, params, end: null, waiting: new Set() };
    this.begun.push(run);
    this.#live.set(id, run);
    this.#sessions.set(session, [...(this.#sessions.get(session) ?? []), { role: 'user', content: message }]);
    return run;
  }
}

function waited({ id, end }: TestRun): object {
  const reply = end?.text === undefined ? {} : { terminalReply: { disposition: 'visible', text: end.text } };
  return { runId: id, status: end?.status, startedAt: 1, endedAt: 2, stopReason: end?.stopReason, ...reply };
}

function finalFrame({ id, end }: TestRun): object {
  const text = end?.text ?? '';
  const agentMeta = {
    sessionId: 's',
    provider: 'p',
    model: 'm',
    costUsd: 0.5,
    usage: { input: 10, output: 2, total: 12 },
  };
  if (end?.status === 'error')
    return {
      ok: false,
      payload: { runId: id, status: 'error', summary: 'failed' },
      error: { code: 'UNAVAILABLE', message: `the run failed: ${end.stopReason}` },
    };
  const aborted = end?.status === 'timeout';
  const result = {
    payloads: [{ text, mediaUrl: null }],
    meta: { durationMs: 1, aborted, stopReason: end?.stopReason, agentMeta },
  };
  return {
    ok: true,
    payload: { runId: id, status: end?.status, summary: aborted ? 'aborted' : 'completed', result },
  };
}
