/** What a driver has to know of an attempt, put together from the blackboard and the attempt history. */
import { join } from 'node:path';
import type { Projections } from '../../projections/index.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { RunOrder } from '../process/drivers/driver.ts';
import type { AgentDefinition } from './agent-roster.ts';
import type { AttemptAddress } from './attempt-address.ts';
import { buildPrompt } from './prompt.ts';
import type { AttemptTokens } from './tokens.ts';

export interface RunOrdersOptions {
  readonly projections: Projections;
  readonly tokens: AttemptTokens;
  readonly attemptsDirectory: string;
  /** Where agents write back to; null before the server listens, or where there is none. */
  readonly url: () => string | null;
}

export class RunOrders {
  readonly #options: RunOrdersOptions;

  constructor(options: RunOrdersOptions) {
    this.#options = options;
  }

  /** @throws SignalboxError `internal` for an attempt of no task */
  orderOf({ project, task, attempt }: AttemptAddress, agent: AgentDefinition): RunOrder {
    const { projections, tokens, url, attemptsDirectory } = this.#options;
    const view = projections.blackboard.tasks.get(`${project}/${task}`);
    if (!view)
      throw new SignalboxError('internal', `task ${project}/${task} is claimed but not on the blackboard`);
    const earlier = projections.attempts.byTask.get(`${project}/${task}`) ?? [];
    const { writesBack } = agent.driver;
    const token = writesBack ? tokens.tokenOf(project, task, attempt) : '';
    const prompt = (): string =>
      buildPrompt({
        task: view,
        attempt,
        agent: agent.id,
        earlier: earlier.slice(0, attempt - 1),
        url: writesBack ? url() : null,
        token,
        language: agent.promptLanguage,
      });
    const own = earlier[attempt - 1];
    const timeout = view.spec.timeout_seconds;
    return {
      project,
      task,
      attempt,
      agent: agent.id,
      spec: view.spec,
      claimedAt: own?.claimedAt ?? 0,
      startedOn: own?.host ?? null,
      timeoutMs: timeout === undefined ? agent.timeoutMs : timeout * 1_000,
      killGraceMs: agent.killGraceMs,
      url: writesBack ? url() : null,
      token,
      directory: join(attemptsDirectory, project, task, String(attempt)),
      prompt,
    };
  }
}
