/** What a driver has to know of an attempt, put together from the blackboard and the attempt history. */
import { join } from 'node:path';
import type { AttemptView, Projections, TaskView } from '../../../projections/index.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { TaskSpec, Usage } from '../../contracts/tasks.ts';
import type { ResumedSession, RunRequest } from '../../drivers/driver.ts';
import { attemptTraceparent, type TaskTrace, traceOf } from '../runtime/task-trace.ts';
import type { AgentDefinition } from './agent-roster.ts';
import { type AttemptAddress, attemptKey } from './attempt-address.ts';
import { buildPrompt, type PromptInput } from './prompts/prompt.ts';
import type { PromptBuilders } from './prompts/prompt-builders.ts';
import type { AttemptTokens } from './tokens.ts';

export interface RunOrdersOptions {
  readonly projections: Projections;
  readonly tokens: AttemptTokens;
  readonly attemptsDirectory: string;
  /** Where agents write back to; null before the server listens, or where there is none. */
  readonly url: () => string | null;
  /** Prompts that projects build themselves. */
  readonly prompts: PromptBuilders;
}

/** What is known of the task of an attempt. */
interface Known {
  readonly view: TaskView;
  readonly history: readonly AttemptView[];
  readonly trace: TaskTrace;
}

export class RunOrders {
  readonly #options: RunOrdersOptions;

  constructor(options: RunOrdersOptions) {
    this.#options = options;
  }

  /**
   * The order of an attempt that is about to start; at once, where its project builds no prompt.
   * @throws SignalboxError `internal` for an attempt of no task
   */
  prepare(address: AttemptAddress, agent: AgentDefinition): RunRequest | Promise<RunRequest> {
    const { order, input } = this.#drawUp(address, agent);
    const building = this.#options.prompts.build(input);
    if (building === null) return order;
    return building.then((built) => (built === null ? order : { ...order, prompt: () => built }));
  }

  /** @throws SignalboxError `internal` for an attempt of no task */
  orderOf(address: AttemptAddress, agent: AgentDefinition): RunRequest {
    return this.#drawUp(address, agent).order;
  }

  /** The order, and what its prompt is made of. @throws SignalboxError `internal` for an attempt of no task */
  #drawUp(address: AttemptAddress, agent: AgentDefinition): { order: RunRequest; input: PromptInput } {
    const { project, task, attempt } = address;
    const { attemptsDirectory, projections } = this.#options;
    const { tasks } = projections.blackboard;
    const view = tasks.get(`${project}/${task}`);
    if (!view)
      throw new SignalboxError('internal', `task ${project}/${task} is claimed but not on the blackboard`);
    const history = projections.attempts.byTask.get(`${project}/${task}`) ?? [];
    const own = history[attempt - 1];
    const trace = traceOf(tasks, view);
    const input = this.#promptInput(address, agent, { view, history, trace });
    const order: RunRequest = {
      project,
      task,
      attempt,
      agent: agent.id,
      spec: view.spec,
      claimedAt: own?.claimedAt ?? 0,
      startedOn: own?.host ?? null,
      url: input.url,
      token: input.token,
      directory: join(attemptsDirectory, project, task, String(attempt)),
      prompt: () => buildPrompt(input),
      traceparent: input.traceparent,
      tracestate: trace.state,
      timeoutMs: timeoutOf(view.spec, agent),
      killGraceMs: agent.killGraceMs,
      resumes: resumedSession(history, attempt, agent),
    };
    return { order, input };
  }

  #promptInput(
    address: AttemptAddress,
    agent: AgentDefinition,
    { view, history, trace }: Known,
  ): PromptInput {
    const { project, task, attempt } = address;
    const { projections, tokens, url } = this.#options;
    const { writesBack, prompting } = agent.driver;
    return {
      task: view,
      attempt,
      agent: agent.id,
      earlier: history.slice(0, attempt - 1),
      url: writesBack ? url() : null,
      token: writesBack ? tokens.tokenOf(project, task, attempt) : '',
      language: agent.promptLanguage,
      traceparent: attemptTraceparent(trace, attemptKey(address)),
      reviewed: view.spec.reviews && projections.blackboard.tasks.get(`${project}/${view.spec.reviews.task}`),
      prompting: prompting ?? { isPublic: false, passesEnvironment: true },
    };
  }
}

/** Milliseconds that one attempt may take. */
export function timeoutOf(spec: TaskSpec | undefined, agent: AgentDefinition): number {
  return spec?.timeout_seconds === undefined ? agent.timeoutMs : spec.timeout_seconds * 1_000;
}

/** The session of the newest attempt by the same agent that left one of use. */
function resumedSession(
  history: readonly AttemptView[],
  attempt: number,
  agent: AgentDefinition,
): ResumedSession | null {
  const { driver, resumesSessions = true } = agent;
  if (driver.resumes !== true || !resumesSessions) return null;
  const own = history
    .slice(0, attempt - 1)
    .filter((each) => each.agent === agent.id && each.driver === driver.name);
  const session = own.at(-1)?.session ?? null;
  if (session === null) return null;
  const ofSession = own.filter((each) => each.session === session);
  const sum = (key: keyof Usage): number =>
    ofSession.reduce((total, each) => total + (each.usage?.[key] ?? 0), 0);
  return {
    session,
    attempt: ofSession[0]?.attempt ?? attempt,
    usage: {
      input_tokens: sum('input_tokens'),
      output_tokens: sum('output_tokens'),
      cost_usd: sum('cost_usd'),
    },
  };
}
