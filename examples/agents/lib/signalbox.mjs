/**
 * What an agent needs to call Signalbox, in one file without dependencies: copy it beside your own agent.
 *
 * Signalbox starts an agent with SIGNALBOX_URL, SIGNALBOX_PROJECT, SIGNALBOX_TASK_ID, SIGNALBOX_ATTEMPT,
 * SIGNALBOX_AGENT_ID, SIGNALBOX_TOKEN and SIGNALBOX_PROMPT_FILE in its environment. The token proves that a message comes
 * from this attempt. It goes into the Authorization header and nowhere else.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const GIVE_UP_AFTER_MS = 20_000;
const ONE_REQUEST_MS = 10_000;
const LONGEST_BACKOFF_MS = 4_000;
/** Answers that ask to come back later: a rate limit, an overload, a restart. */
const COME_BACK_LATER = new Set([429, 503]);
const LONGEST_DETAIL = 2_000;

/**
 * @typedef {{ attempt: number, outcome?: string | null, error?: string | null, stderr_tail?: string | null }} Attempt
 * @typedef {{ id: string, project: string, title?: string, description?: string, reason?: string | null,
 *   params?: Record<string, unknown> | null, attempts?: Attempt[],
 *   comments?: { author: string, body: string }[] }} Task
 * @typedef {{ type: 'code' | 'document' | 'data' | 'config' | 'other', title: string, summary?: string } &
 *   ({ content: string } | { content_path: string })} Output
 * @typedef {ReturnType<typeof connect>} Signalbox
 */

/** The attempt is no longer open (timed out, cancelled, replaced by a newer one): Signalbox accepts no more messages. */
export class AttemptClosedError extends Error {}

/** Signalbox did not answer within the time limit. */
export class UnreachableError extends Error {}

/**
 * Runs `work` and reports what it throws as the attempt's failure (exit code 1). If Signalbox has closed the attempt,
 * the program ends at once without an error (exit code 0). `work` itself reports `working`, posts its outputs and asks for a
 * review.
 * @param {(signalbox: Signalbox, task: Task) => Promise<void>} work
 */
export async function runAgent(work) {
  /** @type {Signalbox | undefined} */
  let signalbox;
  try {
    signalbox = connect(process.env);
    await work(signalbox, await signalbox.task());
  } catch (error) {
    await giveUp(signalbox, error);
  }
}

/**
 * The calls of one attempt. Each waits for its answer, and is repeated for about 20 seconds while Signalbox cannot be
 * reached. If only the answer was lost, Signalbox gets the message twice.
 * @param {NodeJS.ProcessEnv} env
 */
export function connect(env) {
  const token = required(env, 'SIGNALBOX_TOKEN');
  const agent = required(env, 'SIGNALBOX_AGENT_ID');
  const project = encodeURIComponent(required(env, 'SIGNALBOX_PROJECT'));
  const id = encodeURIComponent(required(env, 'SIGNALBOX_TASK_ID'));
  const url = `${required(env, 'SIGNALBOX_URL').replace(/\/+$/, '')}/api/projects/${project}/tasks/${id}`;
  return {
    agent,
    attempt: Number(required(env, 'SIGNALBOX_ATTEMPT')),
    /** The task with its parameters, earlier attempts, outputs and comments. @returns {Promise<Task>} */
    task: () => call(token, 'GET', `${url}?expand=all`),
    /** The text that Signalbox wrote for a person or a language model; empty if there is none. */
    prompt: async () => (env.SIGNALBOX_PROMPT_FILE ? readFile(env.SIGNALBOX_PROMPT_FILE, 'utf8') : ''),
    /** @param {'working' | 'review' | 'failed' | 'blocked'} status @param {string} [detail] */
    status: (status, detail) => call(token, 'POST', `${url}/status`, { status, agent, detail }),
    /** @param {Output} output */
    output: (output) => call(token, 'POST', `${url}/outputs`, { agent, ...output }),
    /** @param {string} body */
    comment: (body) => call(token, 'POST', `${url}/comments`, { author: agent, body }),
  };
}

/**
 * A parameter of the task, or `fallback` if the task does not have it.
 * @template {string | number | boolean} T
 * @param {Task} task @param {string} name @param {T} fallback
 * @returns {T}
 */
export function parameter(task, name, fallback) {
  const value = task.params?.[name] ?? fallback;
  if (typeof value === typeof fallback) return /** @type {T} */ (value);
  throw new Error(`params.${name} must be a ${typeof fallback}, not ${JSON.stringify(value)}`);
}

/** Prints a line to the attempt's log, which also counts as a heartbeat. @param {string} line */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** @param {Signalbox | undefined} signalbox @param {unknown} error */
async function giveUp(signalbox, error) {
  if (error instanceof AttemptClosedError) {
    say(error.message);
    return;
  }
  const reason = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_DETAIL);
  process.exitCode = 1;
  process.stderr.write(`${reason}\n`);
  // If the report fails, the exit code and standard error still show the failure.
  if (error instanceof UnreachableError) return;
  await signalbox?.status('failed', reason).catch((problem) => process.stderr.write(`${problem.message}\n`));
}

/** @param {NodeJS.ProcessEnv} env @param {string} name */
function required(env, name) {
  const value = env[name];
  if (value) return value;
  throw new Error(`${name} is not set: Signalbox sets it. To run an agent by hand, see examples/README.md`);
}

/**
 * @param {string} token @param {string} method @param {string} url @param {object} [body]
 * @returns {Promise<any>}
 */
async function call(token, method, url, body) {
  const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
  const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
  for (let backoffMs = 250; ; backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS)) {
    const answer = await once(url, { method, headers, body: body && JSON.stringify(body) });
    if (!('problem' in answer)) return answer.value;
    const problem = `${method} ${new URL(url).pathname}: ${answer.problem}`;
    if (answer.status === 409 && answer.code !== 'output_required')
      throw new AttemptClosedError(`${problem}. The attempt is closed: stopping`);
    const again = answer.status === undefined || COME_BACK_LATER.has(answer.status);
    const waitMs = answer.waitMs ?? backoffMs * (0.5 + Math.random() / 2);
    if (!again) throw new Error(problem);
    if (Date.now() + waitMs > giveUpAt)
      throw new UnreachableError(`${problem}. Gave up waiting for Signalbox`);
    await sleep(waitMs);
  }
}

/**
 * @param {string} url @param {RequestInit} request
 * @returns {Promise<{ value: unknown } | { problem: string, status?: number, code?: string, waitMs?: number }>}
 */
async function once(url, request) {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(ONE_REQUEST_MS) });
    const text = await response.text();
    if (response.ok) return { value: text === '' ? null : JSON.parse(text) };
    const { status } = response;
    const { code, title, detail } = problemDocument(text);
    const seconds = Number.parseFloat(response.headers.get('retry-after') ?? '');
    const waitMs = Number.isFinite(seconds) ? seconds * 1000 : undefined;
    return { problem: `${status} ${detail ?? title ?? text.slice(0, 200)}`, status, code, waitMs };
  } catch (error) {
    const { message, cause } = /** @type {Error & { cause?: Error & { code?: string } }} */ (error);
    return { problem: cause?.code ?? cause?.message ?? message };
  }
}

/** @param {string} text @returns {{ code?: string, title?: string, detail?: string }} as RFC 9457 has it; empty if it is none */
function problemDocument(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {}; // Not from Signalbox: a proxy, perhaps.
  }
}
