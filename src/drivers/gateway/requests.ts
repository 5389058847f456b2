/** The requests to a Gateway and the meaning of its answers. */
import type { ReportedUsage } from '../../contracts/usage.ts';
import type { Answer, GatewayCall, GatewayConnection } from './connection.ts';
import { abortSchema, historySchema, type RunAnswer, runSchema, spawnSchema, tasksSchema } from './frames.ts';

/** How a run ended. */
export interface GatewayEnd {
  readonly isOk: boolean;
  readonly text: string | undefined;
  readonly error: string | undefined;
  readonly usage: ReportedUsage | undefined;
}

export interface AgentRequest {
  readonly message: string;
  readonly agentId: string;
  readonly sessionKey: string;
  readonly idempotencyKey: string;
  readonly lane?: 'subagent' | undefined;
  /** Seconds. */
  readonly timeout: number;
  readonly label: string;
  readonly model?: string | undefined;
  readonly thinking?: string | undefined;
  readonly cwd?: string | undefined;
}

const NOT_ALLOWED =
  'the Gateway does not allow the tool sessions_spawn: add it to gateway.tools.allow of its configuration, or use the mode "subagent"';

export function callAgent(
  connection: GatewayConnection,
  request: AgentRequest,
  traceparent: string,
): GatewayCall {
  return connection.call('agent', { ...request, deliver: false }, { traceparent });
}

/** Calls the tool that starts a subagent, without the message at its end, which would be a turn of its own. */
export async function spawnSession(
  connection: GatewayConnection,
  { message, agentId, idempotencyKey, timeout, label, model, thinking, cwd }: AgentRequest,
  traceparent: string,
): Promise<{ readonly run: string; readonly session: string } | { readonly refusal: string }> {
  const args = {
    task: message,
    label,
    agentId,
    model,
    thinking,
    cwd,
    runTimeoutSeconds: timeout,
    mode: 'run',
    cleanup: 'keep',
    context: 'isolated',
    expectsCompletionMessage: false,
  };
  const params = {
    name: 'sessions_spawn',
    args,
    sessionKey: `agent:${agentId}:signalbox-supervisor`,
    idempotencyKey,
  };
  const { ok, payload, error } = await connection.call('tools.invoke', params, { traceparent }).final;
  const answer = ok ? spawnSchema.safeParse(payload).data : undefined;
  const details = answer?.output?.details;
  if (details?.status === 'accepted' && details.runId !== undefined && details.childSessionKey !== undefined)
    return { run: details.runId, session: details.childSessionKey };
  if (answer?.error?.code === 'not_found') return { refusal: NOT_ALLOWED };
  const status = `sessions_spawn was not accepted (${details?.status ?? 'no status'})`;
  return { refusal: answer?.error?.message ?? error?.message ?? status };
}

/** Waits up to `timeoutMs` for the end of a run. `unknown`: the Gateway does not know the run. */
export async function waitForRun(
  connection: GatewayConnection,
  runId: string,
  timeoutMs: number,
): Promise<{ readonly end: GatewayEnd } | 'pending' | 'unknown'> {
  const answer = await connection.call('agent.wait', { runId, timeoutMs }, { waitMs: timeoutMs }).final;
  const run = answer.ok ? runSchema.safeParse(answer.payload).data : undefined;
  if (!run) return 'unknown';
  if (run.status === 'pending' || run.status === 'accepted' || run.status === 'in_flight') return 'pending';
  // Without an end, only the wait is over, or the run is not known.
  if (run.status === 'timeout' && typeof run.endedAt !== 'number') return 'unknown';
  return { end: endOf(run) };
}

/** The state of a run among the Gateway's tasks, or how it ended. */
export async function findGatewayTask(
  connection: GatewayConnection,
  run: string,
  sessionKey: string,
): Promise<{ readonly end: GatewayEnd } | 'running' | 'unknown'> {
  const answer = await connection.call('tasks.list', { sessionKey, limit: 100 }).final;
  const tasks = answer.ok ? (tasksSchema.safeParse(answer.payload).data?.tasks ?? []) : [];
  const task = tasks.find(({ runId }) => runId === run);
  if (!task) return 'unknown';
  if (task.status === 'queued' || task.status === 'running') return 'running';
  const isOk = task.status === 'completed';
  const error = isOk ? undefined : (task.error ?? `the run ${task.status.replace('_', ' ')}`);
  return { end: { isOk, error, text: undefined, usage: undefined } };
}

/** The last message of the agent in a session; undefined if there is none, null if there is no such session. */
export async function lastReply(
  connection: GatewayConnection,
  sessionKey: string,
): Promise<string | undefined | null> {
  const answer = await connection.call('chat.history', { sessionKey, limit: 20 }).final;
  const messages = answer.ok ? (historySchema.safeParse(answer.payload).data?.messages ?? []) : [];
  if (messages.length === 0) return null;
  const last = messages.at(-1);
  return last?.role === 'assistant' ? textOf(last.content) : undefined;
}

/** Ends a run; false if it was not active. */
export async function abortRun(
  connection: GatewayConnection,
  runId: string,
  sessionKey: string,
): Promise<boolean> {
  const answer = await connection.call('chat.abort', { sessionKey, runId }).final;
  return answer.ok && abortSchema.safeParse(answer.payload).data?.aborted === true;
}

/** @param answer the final one to `agent` */
export function endOfAnswer({ ok, payload, error }: Answer): GatewayEnd | 'in_flight' {
  const run = runSchema.safeParse(payload).data;
  if (ok && run?.status === 'in_flight') return 'in_flight';
  if (ok && run) return endOf(run);
  const why = error?.message ?? run?.error ?? 'the Gateway gave no reason';
  return { isOk: false, text: undefined, error: why, usage: undefined };
}

function endOf({ status, summary, stopReason, error, result, terminalReply }: RunAnswer): GatewayEnd {
  const meta = result?.meta;
  const texts = (result?.payloads ?? []).flatMap(({ text, isError }) => (text && !isError ? [text] : []));
  const text = texts.length > 0 ? texts.join('\n\n') : (terminalReply?.text ?? undefined);
  const { input, output, cacheRead, cacheWrite } = meta?.agentMeta?.usage ?? {};
  const usage = {
    model: meta?.agentMeta?.model ?? undefined,
    // The Gateway does not count what is read from the cache and written to it.
    input_tokens: input == null ? undefined : input + (cacheRead ?? 0) + (cacheWrite ?? 0),
    output_tokens: output ?? undefined,
    cache_read_tokens: cacheRead ?? undefined,
    cache_write_tokens: cacheWrite ?? undefined,
    cost_usd: meta?.agentMeta?.costUsd ?? undefined,
  };
  const hasUsage = Object.values(usage).some((each) => each !== undefined);
  const isOk = status === 'ok' && meta?.aborted !== true;
  const why = meta?.error?.message ?? error ?? reasonOf(status, stopReason) ?? summary ?? status;
  return { isOk, text, error: isOk ? undefined : why, usage: hasUsage ? usage : undefined };
}

function reasonOf(status: string, stopReason: string | null | undefined): string | undefined {
  if (stopReason === 'superseded') return 'a newer message to its session took its place';
  if (stopReason === 'rpc') return 'it was aborted';
  return status === 'timeout' ? 'the run timed out at the Gateway' : undefined;
}

function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.flatMap((part: unknown) => {
    const text: unknown = typeof part === 'object' && part !== null ? Reflect.get(part, 'text') : undefined;
    return typeof text === 'string' ? [text] : [];
  });
  return texts.length > 0 ? texts.join('\n') : undefined;
}
