/** Turns a request into a task: fills in defaults, and checks agents and relations. */
import type { TaskView } from '../../../projections/index.ts';
import { BACKGROUND_AGENT } from '../../contracts/api/background.ts';
import type { CreateTask, FollowUp } from '../../contracts/api/requests.ts';
import { isReviewMode } from '../../contracts/config-values.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { TaskEdit } from '../../contracts/events/task-edits.ts';
import { BACKGROUND_PROJECT, taskKey } from '../../contracts/ids.ts';
import { type FollowUpSpec, SETTLED_STATES, type TaskSpec, type TaskState } from '../../contracts/tasks.ts';
import { queueOf } from '../../engine/supervisor/agent-roster.ts';
import { type AppContext, findTask, type Needs } from '../context.ts';

/**
 * @throws SignalboxError `agent_not_found`, `forbidden` for the agent of background commands in another project,
 * `invalid_request` for a task that would expire before it may start
 */
export function specOf(app: AppContext, project: string, request: CreateTask): TaskSpec {
  const now = app.environment.clock.now();
  assertAgent(app, request.agent, project);
  const { id: _id, delay_seconds, not_before, expires_at, follow_ups, ...rest } = request;
  const not_before_ms = startOf(delay_seconds, not_before, now);
  const expires_at_ms = expires_at === undefined ? undefined : Date.parse(expires_at);
  if (expires_at_ms !== undefined) assertCanStart(expires_at_ms, not_before_ms, now);
  return {
    ...rest,
    ...settled(app, request),
    not_before_ms,
    expires_at_ms,
    follow_ups: follow_ups?.map((each) => followUpOf(app, each)),
  };
}

/** @throws SignalboxError `invalid_request` */
function assertCanStart(expiresAt: number, notBefore: number | undefined, now: number): void {
  const given = new Date(expiresAt).toISOString();
  const message =
    expiresAt <= now
      ? `${given} is in the past: give a later time`
      : notBefore !== undefined && expiresAt <= notBefore
        ? `${given} is not after ${new Date(notBefore).toISOString()}, before which the task may not start: give a later time`
        : null;
  if (message === null) return;
  const errors = [{ path: 'expires_at', message }];
  throw new SignalboxError('invalid_request', `expires_at: ${message}`, { details: { errors } });
}

/**
 * Checks a task after an edit, as far as the edit concerns it.
 * @param spec after the edit
 * @throws SignalboxError `agent_not_found`, `forbidden`, `invalid_request`
 */
export function assertEdited(app: AppContext, task: TaskView, edit: TaskEdit, spec: TaskSpec): void {
  const { project, attempts } = task;
  const { agent, type, review, expires_at_ms } = spec;
  if (agent === undefined && type === undefined) {
    const message = 'the task has no type: give "type", or the id of another agent';
    const errors = [{ path: 'agent', message }];
    throw new SignalboxError('invalid_request', `agent: ${message}`, { details: { errors } });
  }
  if (edit.agent !== undefined) assertAgent(app, agent, project);
  if (edit.review !== undefined && !isReviewMode(review)) assertAgent(app, review);
  assertOtherReviewer(agent, review);
  if (edit.expires_at === undefined || expires_at_ms === undefined) return;
  if (attempts > 0) {
    const message = 'an agent has had the task already, so it no longer expires';
    const errors = [{ path: 'expires_at', message }];
    throw new SignalboxError('invalid_request', `expires_at: ${message}`, { details: { errors } });
  }
  assertCanStart(expires_at_ms, spec.not_before_ms, app.environment.clock.now());
}

/** A task that is created later. @throws SignalboxError as `specOf` */
export function followUpOf(app: AppContext, request: FollowUp): FollowUpSpec {
  assertAgent(app, request.agent);
  const { delay_seconds, follow_ups, ...rest } = request;
  return {
    ...rest,
    ...settled(app, request),
    delay_ms: delay_seconds === undefined ? undefined : Math.round(delay_seconds * 1_000),
    follow_ups: follow_ups?.map((each) => followUpOf(app, each)),
  };
}

/** The fields with a default. */
function settled(
  app: AppContext,
  request: FollowUp,
): Pick<TaskSpec, 'priority' | 'max_attempts' | 'backoff' | 'review'> {
  const { defaults } = app.settings;
  const { agent } = request;
  const byDefault = agent === undefined ? reviewOfType(app, request) : defaultReview(app, agent);
  return {
    priority: request.priority ?? defaults.priority,
    max_attempts: request.max_attempts ?? defaults.max_attempts,
    backoff: { ...defaults.backoff, ...request.backoff },
    review: reviewFor(app, request, byDefault),
  };
}

/** The review of a task for a type that names none: that of the agents which may take it, if all have the same. */
function reviewOfType(app: AppContext, request: FollowUp): string {
  const { defaults, reviewOf } = app.settings;
  const [first, ...others] = new Set(app.supervision.roster.takersOf(queueOf(request)).map(reviewOf));
  return others.length === 0 && first !== undefined ? first : defaults.review;
}

/** The review of a task that names none. @param agent the one that it is for */
export function defaultReview({ settings }: Needs<'settings'>, agent: string | undefined): string {
  const { defaults, reviewOf } = settings;
  return (agent === undefined ? undefined : reviewOf(agent)) ?? defaults.review;
}

/** @throws SignalboxError `agent_not_found`, `invalid_request` if an agent would review its own work */
function reviewFor(app: AppContext, { agent, review }: FollowUp, byDefault: string): string {
  if (review === undefined) return byDefault === agent ? 'manual' : byDefault;
  if (!isReviewMode(review)) assertAgent(app, review);
  assertOtherReviewer(agent, review);
  return review;
}

/** @throws SignalboxError `invalid_request` */
function assertOtherReviewer(agent: string | undefined, review: string): void {
  if (review !== agent) return;
  throw new SignalboxError(
    'invalid_request',
    `review: agent ${agent} cannot review its own work: name another agent, "manual" or "auto"`,
  );
}

/** @param project the project of the task; absent for a follow-up */
function assertAgent(app: AppContext, agent: string | undefined, project?: string): void {
  if (agent === BACKGROUND_AGENT && project !== BACKGROUND_PROJECT) {
    throw new SignalboxError(
      'forbidden',
      `agent ${agent} runs only background commands: start one with POST /api/background`,
    );
  }
  if (agent === undefined || app.supervision.roster.get(agent)) return;
  const known = [...app.supervision.roster.all()].map(({ id }) => id).filter((id) => id !== BACKGROUND_AGENT);
  throw new SignalboxError(
    'agent_not_found',
    `agent ${agent} is not configured; configured are: ${known.join(', ') || 'none'}`,
    { details: { agent, known } },
  );
}

function startOf(
  delaySeconds: number | undefined,
  notBefore: string | undefined,
  now: number,
): number | undefined {
  const at = notBefore === undefined ? now + Math.round((delaySeconds ?? 0) * 1_000) : Date.parse(notBefore);
  return at > now ? at : undefined;
}

/**
 * The dependencies that are not done yet.
 * @throws SignalboxError `task_not_found` for a parent or a dependency that does not exist, `illegal_transition` for a
 * parent that is settled, or a dependency that can never be done
 */
export async function relationsOf(
  app: AppContext,
  project: string,
  { parent, depends_on }: CreateTask,
): Promise<string[]> {
  const stateOf = async (id: string, as: string): Promise<TaskState> => {
    try {
      return (await findTask(app, { project, task: id })).state;
    } catch (error) {
      if (error instanceof SignalboxError && error.code === 'task_not_found')
        throw new SignalboxError(error.code, `${as}: ${error.message}`, { details: error.details });
      throw error;
    }
  };
  if (parent !== undefined) {
    const state = await stateOf(parent, 'parent');
    assertOpen(parent, state);
  }
  const unmet: string[] = [];
  for (const id of new Set(depends_on)) {
    const state = await stateOf(id, 'depends_on');
    if (state === 'done') continue;
    if (!app.state.host.get('task', taskKey({ project, task: id }))) throw neverDone(id, state);
    unmet.push(id);
  }
  return unmet;
}

/**
 * Also of what is decided and not stored yet: a task that is cancelled with its children gets no more of them.
 * @throws SignalboxError `illegal_transition`
 */
export function assertParentOpen({ state: { host } }: AppContext, project: string, parent?: string): void {
  const entity = parent === undefined ? undefined : host.get('task', taskKey({ project, task: parent }));
  if (entity) assertOpen(parent, entity.state);
}

/** @throws SignalboxError `illegal_transition` */
function assertOpen(parent: string | undefined, state: string): void {
  if (!SETTLED_STATES.has(state)) return;
  throw new SignalboxError(
    'illegal_transition',
    `parent ${parent} is ${state} and cannot get more children`,
    {
      details: { status: state },
    },
  );
}

/** A task that has left memory no longer changes. */
function neverDone(id: string, state: TaskState): SignalboxError {
  return new SignalboxError(
    'illegal_transition',
    `depends_on: task ${id} is ${state} and has left memory (retention): it will never be done`,
    { details: { task: id, status: state } },
  );
}
