/**
 * The workspaces of tasks: each is made before the first attempt of its task, kept over all of them, merged when the task
 * is approved, and removed when the task is settled and nothing in it would be lost. Long because it has every step.
 *
 * Invariant workspaces/nothing-lost: a workspace with work that is nowhere else is removed only by name. Every step is an
 * event before and after it, and may be repeated: the next start goes on where a crash was.
 */
import type { TaskView, WorkspaceView } from '../../../../projections/index.ts';
import { messageOf, SignalboxError } from '../../../contracts/errors.ts';
import type { DomainEvent } from '../../../contracts/events/events.ts';
import { type AttemptRef, attemptKey, type TaskRef, taskKey } from '../../../contracts/ids.ts';
import { type Output, SETTLED_STATES } from '../../../contracts/tasks.ts';
import { NotBegun } from '../../../drivers/driver.ts';
import type { WorkspacePlan, Workspaces, Worktree } from '../../../workspaces/workspaces.ts';
import type { CommitPipeline } from '../../runtime/commit-pipeline.ts';
import { attemptOf, refOf, taskOf, viewKey } from '../../runtime/views.ts';
import type { AgentDefinition } from '../agent-roster.ts';
import type { SupervisorContext } from '../supervisor-context.ts';
import { branchFor, diffToReview, newestDiff, worktreeOf } from './workspace-facts.ts';
import type { WorkspaceSettings } from './workspace-settings.ts';

interface WorkspaceKeeperParts extends SupervisorContext {
  /** null if this process has none: no agent is configured with one. */
  readonly workspaces: Workspaces | null;
  readonly pipeline: Pick<CommitPipeline, 'commit' | 'isOver'>;
}

const ACTOR = 'supervisor';
/** Milliseconds until a step is tried again that the log could not take. */
const AGAIN_MS = 2_000;
/** The longest reason that is recorded. */
const MAX_REASON_LENGTH = 8_000;
const MAX_OUTPUT_LENGTH = 8_000;

export class WorkspaceKeeper {
  readonly #options: WorkspaceKeeperParts;
  /** Aborts the set-up of an attempt. */
  readonly #preparing = new Map<string, AbortController>();
  /** The step of each workspace that is under way. */
  readonly #underway = new Set<string>();
  #isDetached = false;

  constructor(options: WorkspaceKeeperParts) {
    this.#options = options;
  }

  /** Goes on with every workspace, and looks again at those that were kept. Call it at the start. */
  takeUpAll(): void {
    for (const key of [...this.#views.keys()]) this.#takeUp(key, true);
  }

  detach(): void {
    this.#isDetached = true;
    for (const each of this.#preparing.values()) each.abort();
  }

  /**
   * Makes the workspace that an attempt needs, before it starts; null if it needs none.
   * @throws SignalboxError `spawn_failed` (as a rejection), NotBegun
   */
  prepare(attempt: AttemptRef, agent: AgentDefinition): Promise<void> | null {
    const { workspaces } = this.#options;
    if (!workspaces || agent.driver.takesWorkspace !== true) return null;
    const known = this.#views.get(taskKey(attempt));
    const reviewed = diffToReview(this.#options.projections, attempt);
    // Who answers a question changes nothing.
    const isAnswer = taskOf(this.#options.projections, attempt)?.spec.answers !== undefined;
    if (isAnswer || (!known && !reviewed && !agent.workspace)) return null;
    const controller = new AbortController();
    this.#preparing.set(attemptKey(attempt), controller);
    return this.#prepare(workspaces, attempt, agent, controller.signal).finally(() =>
      this.#preparing.delete(attemptKey(attempt)),
    );
  }

  /** The attempt is to be stopped: its set-up is not waited for. */
  withdraw(attempt: AttemptRef): void {
    this.#preparing.get(attemptKey(attempt))?.abort();
  }

  /**
   * What the attempt has changed, as an output; resolves to null if it is known already or there is nothing. null for an
   * attempt without a branch of its own. @throws SignalboxError `internal` (as a rejection)
   */
  takeDiff(attempt: AttemptRef, agent: string): Promise<Output | null> | null {
    const { workspaces, projections, roster } = this.#options;
    const worktree = worktreeOf(this.#views.get(taskKey(attempt)));
    if (!workspaces || !worktree || worktree.branch === null) return null;
    if (roster.get(agent)?.driver.takesWorkspace !== true) return null;
    const time = attemptOf(projections, attempt)?.claimedAt ?? 0;
    return workspaces.takeDiff(worktree, { attempt: attempt.attempt, author: agent, time }).then((diff) => {
      if (diff === null) return null;
      const { text: content, ...facts } = diff;
      const task = taskOf(projections, attempt);
      if (task && newestDiff(task)?.diff.commit === facts.commit) return null;
      const { files, insertions, deletions } = facts;
      const plural = files === 1 ? 'file' : 'files';
      const summary = `${files} ${plural} changed: +${insertions} −${deletions}`;
      return { type: 'code', title: 'diff', summary, content, agent, diff: facts };
    });
  }

  /** @throws SignalboxError `workspace_not_found`, `workspace_in_use`, `workspace_has_work` */
  async assertRemovable(ref: TaskRef, discard: boolean): Promise<void> {
    const view = this.#views.get(taskKey(ref));
    const { workspaces } = this.#options;
    if (!view || !workspaces)
      throw new SignalboxError(
        'workspace_not_found',
        `task ${ref.task} in project ${ref.project} has no workspace`,
      );
    const { state, context } = this.#options.host.get('task', taskKey(ref)) ?? {};
    if (state !== undefined && (!SETTLED_STATES.has(state) || context?.openAttempt !== null))
      throw new SignalboxError(
        'workspace_in_use',
        `task ${ref.task} is ${state}: cancel it first, or wait for its end`,
      );
    const worktree = worktreeOf(view);
    if (discard || view.state !== 'ready' || !worktree) return;
    const reason = await workspaces.reasonToKeep(worktree);
    if (reason === null) return;
    const message = `the workspace of task ${ref.task} stays: ${reason}. Merge it, or remove it with "discard"`;
    throw new SignalboxError('workspace_has_work', message);
  }

  /** Removes a workspace by name. @throws SignalboxError as {@link assertRemovable}, and as a commit */
  async remove({ project, task }: TaskRef, discard: boolean, actor: string): Promise<void> {
    await this.assertRemovable({ project, task }, discard);
    if (this.#views.get(taskKey({ project, task }))?.state === 'removing') return;
    const event = { type: 'workspace.removal_requested', project, task, discard } as const;
    await this.#options.pipeline.commit(event, { actor });
  }

  /** Reacts to a stored event of a workspace, or of a task that may have one. */
  onEvent(event: DomainEvent): void {
    if ('task' in event) this.#takeUp(taskKey(event));
  }

  async #prepare(
    workspaces: Workspaces,
    ref: AttemptRef,
    agent: AgentDefinition,
    signal: AbortSignal,
  ): Promise<void> {
    const { project, task } = ref;
    const key = taskKey(ref);
    const view = this.#views.get(key) ?? (await this.#request(workspaces, ref, agent));
    if (view.state === 'removing') throw new NotBegun('its workspace is being removed');
    if (view.state === 'requested') {
      const admin = await workspaces.create({ project, task }, view);
      await this.#commit({ type: 'workspace.created', project, task, admin });
    }
    const worktree = worktreeOf(this.#views.get(key));
    if (!worktree) throw new SignalboxError('internal', `the workspace of task ${key} is gone`);
    if (this.#views.get(key)?.state === 'created')
      await this.#setUp(workspaces, worktree, agent.workspace, signal);
    await workspaces.release(worktree);
  }

  async #request(
    workspaces: Workspaces,
    ref: AttemptRef,
    { workspace, id }: AgentDefinition,
  ): Promise<WorkspaceView> {
    const { project, task } = ref;
    const reviewed = diffToReview(this.#options.projections, ref);
    if (!reviewed && !workspace) throw new SignalboxError('internal', `agent ${id} has no workspace`);
    const plan: WorkspacePlan = reviewed
      ? await workspaces.plan({ project, task, ...reviewed, branch: null })
      : await workspaces.plan({ project, task, ...planOf(workspace, ref) });
    const onApprove = reviewed ? null : (workspace?.onApprove ?? null);
    if (onApprove !== null && plan.target === null)
      throw new SignalboxError(
        'spawn_failed',
        `agents.${id}.workspace: on_approve needs a base that is a branch`,
      );
    const { repository, path, branch, target, base } = plan;
    const keep_ms = reviewed ? 0 : (workspace?.keepMs ?? 0);
    await this.#commit({
      type: 'workspace.requested',
      project,
      task,
      repository,
      path,
      branch,
      target,
      base,
      on_approve: onApprove,
      keep_ms,
    });
    const view = this.#views.get(taskKey(ref));
    if (view) return view;
    throw new SignalboxError('internal', `the workspace of task ${taskKey(ref)} is not recorded`);
  }

  async #setUp(
    workspaces: Workspaces,
    worktree: Worktree,
    settings: WorkspaceSettings | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { project, task } = worktree;
    const commands = settings?.setUp ?? [];
    const { clock } = this.#options.environment;
    const begin = clock.now();
    if (settings && commands.length > 0) {
      const { env, setUpTimeoutMs: timeoutMs } = settings;
      const { steps, failure } = await workspaces.setUp(worktree, { commands, env, timeoutMs, signal });
      // What the end of this process has interrupted is done again by the next one.
      if (this.#isDetached) throw new SignalboxError('shutting_down', 'the set-up was interrupted');
      if (failure !== null) {
        const output = steps.at(-1)?.output.slice(-MAX_OUTPUT_LENGTH);
        const error = `the set-up of its workspace failed: ${failure}`;
        await this.#commit({ type: 'workspace.set_up_failed', project, task, error, output });
        const lines = output?.trim().split('\n').slice(-5).join('\n');
        throw new SignalboxError('spawn_failed', lines ? `${error}\n${lines}` : error);
      }
    }
    // The clock may have been set back.
    const duration_ms = Math.max(0, Math.round(clock.now() - begin));
    await this.#commit({ type: 'workspace.set_up', project, task, commands: commands.length, duration_ms });
  }

  /** @param again whether one that was kept is looked at again */
  #takeUp(key: string, again = false): void {
    const { host, timers, environment } = this.#options;
    const view = this.#views.get(key);
    if (!view || this.#isDetached) return;
    const task = taskOf(this.#options.projections, view);
    timers.cancel(timerKey(key));
    if (task?.merging && task.openAttempt === null)
      return this.#once(key, (workspaces) => this.#merge(workspaces, task));
    if (view.state === 'removing') return this.#once(key, (workspaces) => this.#remove(workspaces, view));
    // A task that has left memory is settled.
    const settledAt = view.settledAt ?? (task || host.get('task', key) ? null : view.createdAt);
    if (settledAt === null || task?.openAttempt != null) return;
    const due = settledAt + view.keepMs;
    const wake = (): void => this.#once(key, (workspaces) => this.#cleanUp(workspaces, key));
    if (due > environment.clock.now()) timers.set(timerKey(key), due, wake);
    else if (again || view.kept === null) wake();
  }

  /** One step at a time for each workspace; the event that it stores leads to the next one. */
  #once(key: string, step: (workspaces: Workspaces) => Promise<void>): void {
    const { workspaces, pipeline, logger, timers, environment } = this.#options;
    // Another Signalbox may have taken the log over, and the workspaces with it.
    if (!workspaces || pipeline.isOver || this.#underway.has(key)) return;
    this.#underway.add(key);
    let isRefused = false;
    void step(workspaces)
      .catch((error: unknown) => {
        isRefused = true;
        if (this.#isDetached) return;
        logger.warn({ err: error, workspace: key }, `a step of a workspace failed: ${messageOf(error)}`);
      })
      .finally(() => {
        this.#underway.delete(key);
        if (this.#isDetached) return;
        if (isRefused) timers.set(timerKey(key), environment.clock.now() + AGAIN_MS, () => this.#takeUp(key));
        else this.#takeUp(key);
      });
  }

  async #merge(workspaces: Workspaces, task: TaskView): Promise<void> {
    const { project, task: id } = refOf(task);
    const view = this.#views.get(viewKey(task));
    const worktree = worktreeOf(view);
    const newest = newestDiff(task);
    if (!view?.onApprove || !worktree || !newest) {
      const reason = 'its workspace is gone';
      return this.#commit({ type: 'workspace.merge_failed', project, task: id, reason, goes_back: false });
    }
    const { commit: source } = newest.diff;
    const result = await workspaces.merge(worktree, {
      mode: view.onApprove,
      commit: source,
      message: `${task.spec.title}\n\nTask ${viewKey(task)}\n`,
      author: newest.agent,
      time: this.#options.environment.clock.now(),
    });
    if (result.kind === 'merged') {
      const { commit, before } = result;
      const target = worktree.target ?? '';
      return this.#commit({ type: 'workspace.merged', project, task: id, target, source, before, commit });
    }
    const reason = result.reason.slice(0, MAX_REASON_LENGTH);
    const goes_back = result.kind === 'conflict';
    return this.#commit({ type: 'workspace.merge_failed', project, task: id, reason, goes_back });
  }

  async #cleanUp(workspaces: Workspaces, key: string): Promise<void> {
    const view = this.#views.get(key);
    if (!view) return;
    const { project, task } = view;
    const worktree = worktreeOf(view);
    const reason = view.state === 'ready' && worktree ? await workspaces.reasonToKeep(worktree) : null;
    if (reason === null)
      return this.#commit({ type: 'workspace.removal_requested', project, task, discard: false });
    if (reason !== view.kept) await this.#commit({ type: 'workspace.kept', project, task, reason });
  }

  async #remove(workspaces: Workspaces, view: WorkspaceView): Promise<void> {
    const { project, task } = view;
    const isSetUp = this.#options.host.get('workspace', taskKey(view))?.context.isSetUp ?? false;
    const worktree = { ...view, admin: view.admin ?? '' };
    // No agent has worked in one that was not set up.
    const reason = await workspaces.remove(worktree, { discard: view.discards || !isSetUp });
    if (reason === null) return this.#commit({ type: 'workspace.removed', project, task });
    return this.#commit({ type: 'workspace.kept', project, task, reason });
  }

  async #commit(event: DomainEvent): Promise<void> {
    await this.#options.pipeline.commit(event, { actor: ACTOR });
  }

  get #views(): ReadonlyMap<string, WorkspaceView> {
    return this.#options.projections.workspaces.byTask;
  }
}

const timerKey = (key: string): string => `workspace:${key}`;

function planOf(settings: WorkspaceSettings | undefined, ref: TaskRef) {
  const { repository = '', base, branch = '' } = settings ?? {};
  return { repository, base, branch: branchFor(branch, ref) };
}
