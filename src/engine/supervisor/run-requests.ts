/** Requests to drivers to run an attempt, put together from the blackboard and the attempt history. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  type AttemptView,
  messagesOf,
  type Projections,
  questionOf,
  questionsOf,
  type TaskView,
} from '../../../projections/index.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { type AttemptRef, attemptKey, taskKey } from '../../contracts/ids.ts';
import type { TaskSpec } from '../../contracts/tasks.ts';
import type { RunQuestion, RunRequest, RunWorkspace } from '../../drivers/driver.ts';
import { attemptTraceparent, type TaskTrace, traceOf } from '../runtime/task-trace.ts';
import { attemptsOf, taskOf } from '../runtime/views.ts';
import type { AgentDefinition } from './agent-roster.ts';
import { buildPrompt, type PromptInput } from './prompts/prompt.ts';
import type { PromptBuilders } from './prompts/prompt-facts.ts';
import { resumedSession } from './sessions.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import type { AttemptTokens } from './tokens.ts';

interface RunRequestsParts extends Pick<SupervisorContext, 'projections'> {
  readonly tokens: AttemptTokens;
  readonly attemptsDirectory: string;
  /** The URL at which agents reach Signalbox; null while nothing listens. */
  readonly url: () => string | null;
  readonly prompts: PromptBuilders;
  /** Called when the prompt of an attempt is written, before it starts. */
  readonly onPrompt: (attempt: AttemptRef) => void;
  /** Asks a question of a run. */
  readonly ask: (attempt: AttemptRef, question: RunQuestion) => Promise<void>;
  /** A run no longer waits for an answer. */
  readonly withdraw: (attempt: AttemptRef, question: string) => void;
}

interface Known {
  readonly view: TaskView;
  readonly history: readonly AttemptView[];
  /** Made on demand: most functions in this process do not ask for it. */
  readonly trace: () => TaskTrace;
}

const HOST = hostname();

export class RunRequests {
  readonly #options: RunRequestsParts;

  constructor(options: RunRequestsParts) {
    this.#options = options;
  }

  /**
   * The request for an attempt that is about to start; a promise only if its project builds the prompt.
   * @throws SignalboxError `internal` if there is no such task
   */
  prepare(ref: AttemptRef, agent: AgentDefinition): RunRequest | Promise<RunRequest> {
    const { request, input } = this.#compose(ref, agent);
    this.#options.onPrompt(ref);
    const building = this.#options.prompts.build(input);
    if (building === null) return request;
    return building.then((built) => (built === null ? request : { ...request, prompt: () => built }));
  }

  /** @throws SignalboxError `internal` if there is no such task */
  requestOf(ref: AttemptRef, agent: AgentDefinition): RunRequest {
    return this.#compose(ref, agent).request;
  }

  /** The request and the input of its prompt. @throws SignalboxError `internal` if there is no such task */
  #compose(ref: AttemptRef, agent: AgentDefinition): { request: RunRequest; input: PromptInput } {
    const { project, task, attempt } = ref;
    const { attemptsDirectory, projections } = this.#options;
    const view = taskOf(projections, ref);
    if (!view)
      throw new SignalboxError('internal', `task ${taskKey(ref)} is claimed but not on the blackboard`);
    const history = attemptsOf(projections, ref);
    const own = history[attempt - 1];
    let known: TaskTrace | undefined;
    const trace = (): TaskTrace => {
      known ??= traceOf(projections.blackboard.tasks, view);
      return known;
    };
    const input = this.#promptInput(ref, agent, { view, history, trace });
    const request: RunRequest = {
      project,
      task,
      attempt,
      agent: agent.id,
      spec: view.spec,
      claimedAt: own?.claimedAt ?? 0,
      startedOn: own?.host ?? null,
      startedAs: startedAs(own),
      url: input.url,
      token: input.token,
      workspace: input.workspace,
      directory: join(attemptsDirectory, project, task, String(attempt)),
      prompt: () => buildPrompt(input),
      get traceparent() {
        return input.traceparent;
      },
      get tracestate() {
        return trace().state;
      },
      timeoutMs: timeoutOf(view.spec, agent),
      killGraceMs: agent.killGraceMs,
      resumes: resumedSession(history, attempt, agent),
      ask: (question) => this.#options.ask({ project, task, attempt }, question),
      withdraw: (question) => this.#options.withdraw({ project, task, attempt }, question),
    };
    return { request, input };
  }

  /** The question that a task answers, with the task that asks it. */
  #answering({ project, spec: { answers } }: TaskView): PromptInput['answering'] {
    if (answers === undefined) return undefined;
    const { projections } = this.#options;
    const asking = { project, task: answers.task };
    const question = questionOf(projections.questions, asking, answers.question);
    const task = taskOf(projections, asking);
    return question && task && { question, task };
  }

  #promptInput(ref: AttemptRef, agent: AgentDefinition, { view, history, trace }: Known): PromptInput {
    const { project, attempt } = ref;
    const { projections, tokens, url } = this.#options;
    const { writesBack, prompting } = agent.driver;
    const key = attemptKey(ref);
    return {
      task: view,
      attempt,
      agent: agent.id,
      earlier: history.slice(0, attempt - 1),
      questions: questionsOf(projections.questions, ref),
      messages: messagesOf(projections.steering, ref),
      url: writesBack ? url() : null,
      token: writesBack ? tokens.tokenOf(ref) : '',
      language: agent.promptLanguage,
      get traceparent() {
        return attemptTraceparent(trace(), key);
      },
      answering: this.#answering(view),
      workspace: agent.driver.takesWorkspace === true ? workspaceOf(projections, ref) : undefined,
      reviewed:
        view.spec.reviews &&
        projections.blackboard.tasks.get(taskKey({ project, task: view.spec.reviews.task })),
      prompting: prompting ?? { isPublic: false, passesEnvironment: true },
    };
  }
}

/** The workspace of a task, if agents can work in it. */
function workspaceOf({ workspaces }: Projections, ref: AttemptRef): RunWorkspace | undefined {
  const view = workspaces.byTask.get(taskKey(ref));
  if (view?.state !== 'ready') return undefined;
  const { path, branch, target, base } = view;
  return { path, branch, target, base };
}

/** Only on this machine: elsewhere, or under another name, the numbers mean nothing. */
function startedAs(own: AttemptView | undefined): RunRequest['startedAs'] {
  const { host, pid, startTime } = own ?? {};
  return host === HOST && pid != null && startTime != null ? { pid, startTime } : undefined;
}

export function timeoutOf(spec: TaskSpec | undefined, agent: AgentDefinition): number {
  return spec?.timeout_seconds === undefined ? agent.timeoutMs : spec.timeout_seconds * 1_000;
}
