/** What a running Signalbox has, for who types. */

import { oneLine } from '../../base/printable.ts';
import type { SignalboxClient } from '../../client/client.ts';
import { unreachable } from '../../contracts/errors.ts';
import { ID_PATTERN } from '../../contracts/ids.ts';
import type { Candidate } from './completion.ts';
import type { LiveSource } from './sources.ts';

/** What else the line says. */
export interface Context {
  readonly project: string;
  /** Those before the one that is asked for. */
  readonly operands: readonly string[];
}

/** The most that one page of the API has: nobody chooses from a longer list. */
const LIMIT = 1_000;
const ABOUT_LENGTH = 70;

/** @throws SignalboxError what the client throws */
export async function liveCandidates(
  client: SignalboxClient,
  source: LiveSource,
  context: Context,
): Promise<readonly Candidate[]> {
  const candidates = await ask(client, source, context);
  // They are put into a line that a shell runs, and shown by it.
  return candidates
    .filter(({ text }) => ID_PATTERN.test(text))
    .map(({ text, about }) => ({ text, about: oneLine(about).slice(0, ABOUT_LENGTH) }));
}

async function ask(
  client: SignalboxClient,
  source: LiveSource,
  { project, operands }: Context,
): Promise<Candidate[]> {
  switch (source.kind) {
    case 'tasks': {
      const { tasks } = await client.listTasks({ project, status: source.states, limit: LIMIT });
      return tasks.map(({ id, status, title }) => ({ text: id, about: `${status}: ${title}` }));
    }
    case 'agents':
      return (await client.listAgents()).agents.map(({ id, state }) => ({ text: id, about: state }));
    case 'queues': {
      const [wanted] = operands;
      const queues = (await client.listQueues()).queues.filter(
        ({ kind, paused }) => kind === wanted && (paused !== null) === source.isPaused,
      );
      return queues.map(({ name, pending }) => ({ text: name, about: `${pending} pending` }));
    }
    case 'webhooks':
      return (await client.listWebhooks()).webhooks.map(({ id }) => ({ text: id, about: '' }));
    default:
      return unreachable(source, 'ask');
  }
}
