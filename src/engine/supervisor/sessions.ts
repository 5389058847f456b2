/** The session in which an agent has worked on a task, and goes on in a later attempt. */
import type { AttemptView, TaskView } from '../../../projections/index.ts';
import { costSourceOf } from '../../contracts/cost-source.ts';
import { TOKEN_KEYS } from '../../contracts/usage.ts';
import type { ResumedSession } from '../../drivers/driver.ts';
import { type AgentDefinition, type AgentRoster, queueOf } from './agent-roster.ts';

/** The session of the newest attempt by the same agent; null if it left none that can be resumed. */
export function resumedSession(
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
  const sum = (key: (typeof TOKEN_KEYS)[number]): number =>
    ofSession.reduce((total, each) => total + (each.usage?.[key] ?? 0), 0);
  // An estimate is not what the program has counted.
  const reported = ofSession.filter(({ usage }) => costSourceOf(usage) === 'reported');
  return {
    session,
    attempt: ofSession[0]?.attempt ?? attempt,
    usage: {
      ...Object.fromEntries(TOKEN_KEYS.map((key) => [key, sum(key)])),
      cost_usd: reported.reduce((total, { usage }) => total + (usage?.cost_usd ?? 0), 0),
    },
  };
}

/**
 * The agent that was parked on a task of its type and goes on with it, because it has its session; null if every agent of
 * the type may take the task.
 */
export function sessionHolder(
  task: TaskView,
  history: readonly AttemptView[],
  roster: AgentRoster,
): string | null {
  const parkedBy = parkedAgent(task);
  if (
    parkedBy === null ||
    task.spec.agent !== undefined ||
    !roster.takersOf(queueOf(task.spec)).includes(parkedBy)
  )
    return null;
  const agent = roster.get(parkedBy);
  return agent && resumedSession(history, task.attempts + 1, agent) ? parkedBy : null;
}

/** Why the session of a task that was parked is given up, if another agent takes it; undefined if nothing is. */
export function givenUpSession(
  task: TaskView,
  history: readonly AttemptView[],
  roster: AgentRoster,
  agent: string,
): string | undefined {
  const parkedBy = parkedAgent(task);
  if (parkedBy === null || parkedBy === agent || !history.at(-1)?.session) return undefined;
  const holder = roster.get(parkedBy);
  if (!holder) return `agent ${parkedBy}, which has it, is not in the configuration any more`;
  if (roster.takersOf(queueOf(task.spec)).includes(parkedBy)) return undefined;
  if (task.spec.agent !== undefined) return `the task is for agent ${task.spec.agent} now`;
  return `agent ${parkedBy}, which has it, no longer takes tasks of type ${task.spec.type}`;
}

function parkedAgent({ goesFirst, agent }: TaskView): string | null {
  return goesFirst ? agent : null;
}
