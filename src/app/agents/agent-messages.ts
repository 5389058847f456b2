/**
 * Messages of agents about their attempt: status, outputs, comments, heartbeats; and the attempt that a token belongs to.
 *
 * Invariant access/attempt-speaks-for-itself: a message counts only with the token of the open attempt. Messages of
 * earlier attempts are rejected and recorded, and change nothing. A process can be faster than the log: its message waits
 * until the start of its attempt is stored.
 */
import { join } from 'node:path';
import type { AttemptView, TaskView } from '../../../projections/index.ts';
import { agentActor, isUnnamed, nameOf } from '../../contracts/actors.ts';
import type { AddComment, AddOutput, Heartbeat, StatusReport } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent, EventOf } from '../../contracts/events/events.ts';
import { type AttemptRef, attemptKey, ID_PATTERN, type TaskRef, taskKey } from '../../contracts/ids.ts';
import type { ContentReference, Output } from '../../contracts/tasks.ts';
import { attemptsOf, viewKey } from '../../engine/runtime/views.ts';
import { ACTIVE_STATES } from '../../engine/supervisor/attempt-ends.ts';
import { openAttempts } from '../attempts/attempts.ts';
import { type CapturePlaces, captureFile } from '../attempts/content-store.ts';
import { type AppContext, commitForTask, findAttempts, findTask, speakerOf } from '../context.ts';
import { whenRecorded } from '../events/follow.ts';

export interface AttemptPrincipal extends AttemptRef {
  readonly agent: string;
}

type TaskEvent = Extract<DomainEvent, { task: string }>;
type MessageKind = EventOf<'attempt.message_rejected'>['message'];

/** Rejected messages of one attempt that are recorded; a runaway agent must not fill the log. */
const MAX_RECORDED_REJECTIONS = 20;
/** Milliseconds that an early message waits until the start of its attempt is stored. */
const START_WAIT_MS = 10_000;

/**
 * The attempt of a token, among all attempts of the given task and all open attempts.
 * @returns null if the token belongs to none of them
 */
export function principalOf(
  app: AppContext,
  token: string,
  { project = '', task = '' }: { readonly project?: string | undefined; readonly task?: string },
): AttemptPrincipal | null {
  const { tokens } = app.supervision;
  if (ID_PATTERN.test(project) && ID_PATTERN.test(task)) {
    const history = attemptsOf(app.state.projections, { project, task });
    const attempt = tokens.attemptOf(token, { project, task }, history.length);
    if (attempt !== null) return { project, task, attempt, agent: history[attempt - 1]?.agent ?? '' };
  }
  const open = openAttempts(app).find((each) => tokens.isOf(token, each));
  return open ? { project: open.project, task: open.task, attempt: open.attempt, agent: open.agent } : null;
}

/**
 * `working` reports progress; `review`, `failed` and `blocked` are the agent's report of its result.
 * @param cause names the message that caused the event
 * @throws SignalboxError `unauthorized`, `stale_attempt`, `output_required`, `illegal_transition`
 */
export async function reportStatus(
  app: AppContext,
  task: TaskRef,
  report: StatusReport,
  token: string | null,
  cause?: string,
): Promise<TaskView> {
  const { agent, ...ref } = await authenticate(app, task, token, 'status');
  assertOwnName('agent', report.agent, agent);
  const commit = (event: TaskEvent): Promise<TaskView> => commitForTask(app, event, agentActor(agent), cause);
  const reason = report.detail ?? 'the agent gave no reason';
  switch (report.status) {
    case 'working':
      return commit({ type: 'task.progress_reported', ...ref, agent, detail: report.detail });
    case 'review': {
      const view = await findTask(app, task);
      // A repeated message (its answer was lost): the task is in review already.
      if (view.state === 'review') return view;
      await app.supervision.supervisor.attempts.addDiff(ref, agent);
      assertOutput(app, view);
      return commit({ type: 'task.submitted', ...ref, agent, detail: report.detail });
    }
    case 'failed': {
      const retry_at_ms = app.supervision.supervisor.attempts.retryAt(ref);
      return commit({ type: 'task.failure_reported', ...ref, agent, detail: reason, retry_at_ms });
    }
    case 'blocked':
      return commit({ type: 'task.blocked', ...ref, reason, gives_back: true });
  }
}

/**
 * A sign of life. It is recorded only if it has a detail (then it is a progress report) or the attempt was suspected, so
 * it is accepted while the log is unreachable.
 * @throws SignalboxError `unauthorized`, `stale_attempt`, `illegal_transition`
 */
export async function reportHeartbeat(
  app: AppContext,
  task: TaskRef,
  { agent: name, detail }: Heartbeat,
  token: string | null,
): Promise<TaskView> {
  const { agent, ...ref } = await authenticate(app, task, token, 'heartbeat');
  assertOwnName('agent', name, agent);
  if (detail !== undefined) {
    const event = { type: 'task.progress_reported', ...ref, agent, detail } as const;
    return commitForTask(app, event, agentActor(agent));
  }
  app.supervision.supervisor.attempts.noteSign(ref, 'heartbeat');
  return findTask(app, task);
}

/** @throws SignalboxError `unauthorized`, `stale_attempt`, `illegal_transition`, `content_unreadable` */
export async function addOutput(
  app: AppContext,
  task: TaskRef,
  { agent: name, content_path, content, type, title, summary }: AddOutput,
  token: string | null,
  { file, cause }: { readonly file?: ContentReference | undefined; readonly cause?: string } = {},
): Promise<TaskView> {
  const { agent, ...ref } = await authenticate(app, task, token, 'output');
  assertOwnName('agent', name, agent);
  const content_file =
    content_path === undefined
      ? file
      : await captureFile(await capturePlaces(app, task, agent), content_path);
  const output: Output = { type, title, summary, agent, content, content_file };
  const event = { type: 'task.output_added', ...ref, output } as const;
  return commitForTask(app, event, agentActor(agent), cause);
}

/** The private directories of the task's attempts (a session may go on in that of an earlier one), and the agent's own. */
async function capturePlaces(app: AppContext, ref: TaskRef, agent: string): Promise<CapturePlaces> {
  const { attempts, content, data } = app.settings.directories;
  const { cwd } = app.supervision.roster.get(agent)?.driver ?? {};
  const { outputs } = await findTask(app, ref);
  return {
    store: content,
    data,
    allowed: [join(attempts, ref.project, ref.task), ...(cwd === undefined ? [] : [cwd])],
    heldBytes: outputs.reduce((sum, { content_file }) => sum + (content_file?.size ?? 0), 0),
  };
}

/** Who sends a request. */
export interface Sender {
  /** `user:<name>` or `agent:<id>`. */
  readonly actor: string;
  /** Of an attempt; null for people. */
  readonly token: string | null;
}

/**
 * A comment of the sender: of the agent with the token of its attempt, otherwise of a user. Only a user that Signalbox does
 * not know by name has to give `author`, and may choose it.
 * @throws SignalboxError `forbidden` for another author, `unauthorized`, `stale_attempt`
 */
export async function addComment(
  app: AppContext,
  ref: TaskRef,
  { author, body }: AddComment,
  { actor, token }: Sender,
  cause?: string,
): Promise<TaskView> {
  const { project, task } = ref;
  const event = { type: 'task.comment_added', project, task, body } as const;
  if (token !== null) {
    const { agent } = await authenticate(app, ref, token, 'comment');
    assertOwnName('author', author, agent);
    return commitForTask(app, { ...event, author: agent }, agentActor(agent), cause);
  }
  if (author === undefined && isUnnamed(actor)) {
    throw new SignalboxError('invalid_request', 'author: name the author');
  }
  const speaker = speakerOf('author', author, actor);
  return commitForTask(app, { ...event, author: nameOf(speaker) }, speaker);
}

/** @throws SignalboxError `forbidden` if an agent gives another name than its own */
export function assertOwnName(field: string, name: string | undefined, agent: string): void {
  if (name === undefined || name === agent) return;
  throw new SignalboxError(
    'forbidden',
    `${field}: the token is that of agent ${agent}, which cannot speak for ${JSON.stringify(name)}: leave "${field}" out`,
    { details: { actor: agentActor(agent) } },
  );
}

/**
 * Authenticates the result of an attempt. It counts as long as the attempt is open, even if the task has moved on after
 * the report of the agent.
 * @throws SignalboxError `unauthorized`, `stale_attempt`
 */
export function authenticateResult(app: AppContext, task: TaskRef, token: string): Promise<AttemptPrincipal> {
  return authenticate(app, task, token, 'result');
}

/** Authenticates a question. @throws SignalboxError `unauthorized`, `stale_attempt` */
export function authenticateQuestion(
  app: AppContext,
  task: TaskRef,
  token: string | null,
): Promise<AttemptPrincipal> {
  return authenticate(app, task, token, 'question');
}

async function authenticate(
  app: AppContext,
  ref: TaskRef,
  token: string | null,
  message: MessageKind,
): Promise<AttemptPrincipal> {
  const { project, task } = ref;
  const view = await findTask(app, ref);
  if (token === null) {
    throw new SignalboxError(
      'unauthorized',
      'send the attempt token: "Authorization: Bearer $SIGNALBOX_TOKEN"',
    );
  }
  const attempt = app.supervision.tokens.attemptOf(token, ref, view.attempts);
  if (attempt === null) {
    throw new SignalboxError(
      'unauthorized',
      `the token belongs to no attempt of task ${task} in project ${project}`,
    );
  }
  const history = await findAttempts(app, ref);
  const principal = { project, task, attempt, agent: history[attempt - 1]?.agent ?? '' };
  await whenStarted(app, principal);
  // Checked after the wait, during which the attempt may have ended.
  const entity = app.state.host.get('task', taskKey(principal));
  const isActive = message === 'result' || ACTIVE_STATES.has(entity?.state ?? '');
  if (entity?.context.openAttempt === attempt && isActive) return principal;
  return reject(app, principal, message, await findTask(app, ref), history);
}

async function reject(
  app: AppContext,
  { project, task, attempt, agent }: AttemptPrincipal,
  message: MessageKind,
  view: TaskView,
  history: readonly AttemptView[],
): Promise<never> {
  const open = view.openAttempt === null ? '' : `, its open attempt is ${view.openAttempt}`;
  const reason = `attempt ${attempt} is over: task ${task} is ${view.state}${open}`;
  const rejected = history[attempt - 1]?.rejected ?? [];
  if (rejected.length < MAX_RECORDED_REJECTIONS) {
    app.log.assertWritable();
    const event = { type: 'attempt.message_rejected', project, task, attempt, message, reason } as const;
    await app.log.commit(event, { actor: agentActor(agent) });
  }
  throw new SignalboxError(
    'stale_attempt',
    `${reason}. Stop at once: messages of this attempt do not count any more`,
    { details: { status: view.state, attempt, open_attempt: view.openAttempt } },
  );
}

/** @throws SignalboxError `log_unavailable` if the start is not stored in time */
async function whenStarted(app: AppContext, principal: AttemptPrincipal): Promise<void> {
  const key = attemptKey(principal);
  const isStarted = (): boolean => app.state.host.get('attempt', key)?.state !== 'requested';
  if (await whenRecorded(app, isStarted, START_WAIT_MS)) return;
  throw new SignalboxError(
    'log_unavailable',
    'the start of this attempt is not recorded yet: try again in a moment',
  );
}

function assertOutput(app: AppContext, view: TaskView): void {
  const context = app.state.host.get('task', viewKey(view))?.context;
  if (!context?.outputsRequired || context.outputs > 0) return;
  throw new SignalboxError(
    'output_required',
    `task ${view.id} has no output yet: add one with POST …/outputs, then report review`,
  );
}
