/**
 * What agents say of their attempt: status, outputs, comments, and that they are alive.
 *
 * L1 A word counts only with the token of the open attempt. A word of an older attempt is refused and recorded, and
 *    changes nothing.
 * L2 A word that comes before the start is in the log (the process was quicker than the record) waits for it.
 */

import type { TaskView } from '../../../projections/index.ts';
import type { AddComment, AddOutput, Heartbeat, StatusReport } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent, EventOf } from '../../contracts/events/events.ts';
import { attemptKey, type ProjectId, type TaskId, taskKey } from '../../contracts/ids.ts';
import type { Output } from '../../contracts/tasks.ts';
import { viewKey } from '../../engine/runtime/views.ts';
import { type ContentReference, captureFile } from '../attempts/content-store.ts';
import { type AppContext, commitForTask, findAttempts, findTask } from '../context.ts';

/** Who speaks: the attempt that the token belongs to. */
export interface Speaker {
  readonly project: ProjectId;
  readonly task: TaskId;
  readonly attempt: number;
  readonly agent: string;
}

type TaskEvent = Extract<DomainEvent, { task: string }>;
type Word = EventOf<'attempt.message_rejected'>['message'];

/** How many late words of one attempt are recorded; a runaway agent must not fill the log. */
const RECORDED_REJECTIONS = 20;
/** Milliseconds that an early word waits for its attempt's start to be recorded. */
const START_WAIT_MS = 10_000;

/**
 * `working` reports progress; `review`, `failed` and `blocked` are the agent's verdict.
 * @param cause of the event that is recorded: names the message by which it was said
 * @throws SignalboxError `unauthorized`, `stale_attempt`, `output_required`, `illegal_transition`
 */
export async function reportStatus(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  report: StatusReport,
  token: string | null,
  cause?: string,
): Promise<TaskView> {
  const speaker = await listen(app, project, task, token, 'status');
  const { attempt, agent } = speaker;
  const address = { project, task, attempt, agent };
  const actor = `agent:${agent}`;
  const view = await findTask(app, project, task);
  const commit = (event: TaskEvent): Promise<TaskView> => commitForTask(app, event, actor, cause);
  switch (report.status) {
    case 'working':
      return commit({ type: 'task.progress_reported', ...address, detail: report.detail });
    case 'review':
      // Said twice (an answer was lost): it is in review by this attempt's word already.
      if (view.state === 'review') return view;
      assertOutput(app, view);
      return commit({ type: 'task.submitted', ...address, detail: report.detail });
    case 'failed': {
      const detail = report.detail ?? 'the agent gave no reason';
      const retry_at_ms = app.supervision.supervisor.attempts.retryAt({ project, task });
      return commit({ type: 'task.failure_reported', ...address, detail, retry_at_ms });
    }
    case 'blocked': {
      const reason = report.detail ?? 'the agent gave no reason';
      return commit({ type: 'task.blocked', project, task, attempt, reason });
    }
  }
}

/**
 * A sign of life. It is not recorded, unless it says what the agent is doing (then it is a progress report), or the
 * attempt was suspected. So it is taken also while the log is out of reach.
 * @throws SignalboxError `unauthorized`, `stale_attempt`, `illegal_transition`
 */
export async function reportHeartbeat(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  { detail }: Heartbeat,
  token: string | null,
): Promise<TaskView> {
  const { attempt, agent } = await listen(app, project, task, token, 'heartbeat');
  const address = { project, task, attempt };
  if (detail !== undefined) {
    return commitForTask(
      app,
      { type: 'task.progress_reported', ...address, agent, detail },
      `agent:${agent}`,
    );
  }
  app.supervision.supervisor.attempts.noteSign(address, 'heartbeat');
  return findTask(app, project, task);
}

/** @throws SignalboxError `unauthorized`, `stale_attempt`, `illegal_transition`, `content_unreadable` */
export async function addOutput(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  request: AddOutput,
  token: string | null,
  brought: { readonly file?: ContentReference | undefined; readonly cause?: string } = {},
): Promise<TaskView> {
  const speaker = await listen(app, project, task, token, 'output');
  const { content_path, content, type, title, summary } = request;
  const output: Output = {
    type,
    title,
    summary,
    agent: speaker.agent,
    content,
    content_file:
      content_path === undefined
        ? brought.file
        : await captureFile(app.settings.directories.content, content_path),
  };
  return commitForTask(
    app,
    { type: 'task.output_added', project, task, attempt: speaker.attempt, output },
    `agent:${speaker.agent}`,
    brought.cause,
  );
}

/** With a token it is the agent's comment, without one a person's; then `author` is needed. */
export async function addComment(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  request: AddComment,
  token: string | null,
  cause?: string,
): Promise<TaskView> {
  if (token !== null) {
    const { agent } = await listen(app, project, task, token, 'comment');
    const author = request.author ?? agent;
    return commitForTask(
      app,
      { type: 'task.comment_added', project, task, author, body: request.body },
      `agent:${agent}`,
      cause,
    );
  }
  if (request.author === undefined) {
    throw new SignalboxError('invalid_request', 'author: say who comments');
  }
  const { author, body } = request;
  return commitForTask(app, { type: 'task.comment_added', project, task, author, body }, `user:${author}`);
}

/**
 * Finds out who hands in the result of its attempt: that counts as long as the attempt is open, also where the task has
 * left it behind by the agent's own word.
 * @throws SignalboxError `unauthorized`, `stale_attempt`
 */
export function hearResult(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  token: string,
): Promise<Speaker> {
  return listen(app, project, task, token, 'result');
}

/** Finds out whose token it is, and that its attempt is the open one. */
async function listen(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  token: string | null,
  message: Word,
): Promise<Speaker> {
  const view = await findTask(app, project, task);
  if (token === null) {
    throw new SignalboxError(
      'unauthorized',
      'send the attempt token: "Authorization: Bearer $SIGNALBOX_TOKEN"',
    );
  }
  const attempt = app.supervision.tokens.attemptOf(token, { project, task }, view.attempts);
  if (attempt === null) {
    throw new SignalboxError(
      'unauthorized',
      `the token belongs to no attempt of task ${task} in project ${project}`,
    );
  }
  const history = await findAttempts(app, project, task);
  const speaker = { project, task, attempt, agent: history[attempt - 1]?.agent ?? '' };
  await whenStarted(app, speaker);
  // Asked after the wait, in which it may have ended.
  if (
    app.state.host.get('task', taskKey({ project, task }))?.context.openAttempt !== attempt ||
    (message !== 'result' && isLeftBehind(app, speaker))
  ) {
    await refuse(app, speaker, message, await findTask(app, project, task));
  }
  return speaker;
}

/** The attempt is open only because its process has yet to end: the task went on without it. */
function isLeftBehind(app: AppContext, { project, task }: Speaker): boolean {
  const state = app.state.host.get('task', taskKey({ project, task }))?.state;
  return state !== 'claimed' && state !== 'working' && state !== 'review';
}

async function refuse(app: AppContext, speaker: Speaker, message: Word, view: TaskView): Promise<never> {
  const { project, task, attempt } = speaker;
  const reason = `attempt ${attempt} is over: task ${task} is ${view.state}${view.openAttempt === null ? '' : `, its open attempt is ${view.openAttempt}`}`;
  const history = await findAttempts(app, project, task);
  if ((history[attempt - 1]?.rejected.length ?? 0) < RECORDED_REJECTIONS) {
    app.log.assertWritable();
    await app.log.commit(
      { type: 'attempt.message_rejected', project, task, attempt, message, reason },
      { actor: `agent:${speaker.agent}` },
    );
  }
  throw new SignalboxError(
    'stale_attempt',
    `${reason}. Stop at once: nothing that this attempt says counts any more`,
    {
      details: { status: view.state, attempt, open_attempt: view.openAttempt },
    },
  );
}

async function whenStarted(app: AppContext, { project, task, attempt }: Speaker): Promise<void> {
  const key = attemptKey({ project, task, attempt });
  const isRequested = (): boolean => app.state.host.get('attempt', key)?.state === 'requested';
  if (!isRequested()) return;
  await new Promise<void>((resolve, reject) => {
    const done = (finish: () => void) => () => {
      stop();
      cancel();
      finish();
    };
    const stop = app.log.onRecord(() => {
      if (!isRequested()) done(resolve)();
    });
    const cancel = app.environment.clock.schedule(
      START_WAIT_MS,
      done(() =>
        reject(
          new SignalboxError(
            'log_unavailable',
            'the start of this attempt is not recorded yet: try again in a moment',
          ),
        ),
      ),
    );
  });
}

function assertOutput(app: AppContext, view: TaskView): void {
  const context = app.state.host.get('task', viewKey(view))?.context;
  if (!context?.outputsRequired || context.outputs > 0) return;
  throw new SignalboxError(
    'output_required',
    `task ${view.id} has no output yet: add one with POST …/outputs, then say review`,
  );
}
