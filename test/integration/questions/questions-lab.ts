/** Signalbox with agents that ask, as real processes. */
import { expect } from 'vitest';
import type { QuestionJson } from '../../../src/contracts/api/questions.ts';
import { builtCli } from '../../support/process/build.ts';
import { freePort } from '../../support/process/free-port.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

export const TASKS = '/api/projects/demo/tasks';
export const CLI = `"${process.execPath}" "${await builtCli()}"`;
/** Asks with the command line, and leaves the answer as its output. */
export const ASKS = `echo "$SIGNALBOX_TASK_ID/$SIGNALBOX_ATTEMPT" >> starts; ${CLI} ask "Go on?" --option yes --option no`;
/** Leaves its token in a file, and works on. */
export const LEAVES_TOKEN = 'printenv SIGNALBOX_TOKEN > token.new; mv token.new token; exec sleep 600';
export const agent = (command: string, settings: object = {}) => ({
  driver: 'command',
  command: ['sh', '-c', command],
  cwd: '.',
  kill_grace_seconds: 0.5,
  ...settings,
});

export async function givenSignalbox(agents: object, more: object = {}, env = {}): Promise<Sandbox> {
  const defaults = { review: 'auto', max_attempts: 1, breaker: { failures: 1 } };
  const sandbox = await Sandbox.create({
    config: { defaults, agents, ...more },
    port: await freePort(),
    env,
  });
  await sandbox.up();
  return sandbox;
}

export async function create(
  sandbox: Pick<Sandbox, 'post'>,
  id: string,
  agentId: string,
  more: object = {},
): Promise<void> {
  expect((await sandbox.post(TASKS, { id, title: id, agent: agentId, ...more })).status).toBe(201);
}

export async function questions(sandbox: Pick<Sandbox, 'get'>): Promise<readonly QuestionJson[]> {
  return (await sandbox.get<{ questions: QuestionJson[] }>('/api/questions')).questions;
}

export async function whenAsked(
  sandbox: Pick<Sandbox, 'get'>,
  count = 1,
): Promise<readonly [QuestionJson, ...QuestionJson[]]> {
  await until(async () => (await questions(sandbox)).length === count, `${count} questions are open`, 90_000);
  const [first, ...more] = await questions(sandbox);
  if (!first) throw new Error('no question is open');
  return [first, ...more];
}

export function answer(
  sandbox: Pick<Sandbox, 'post'>,
  { task, id }: QuestionJson,
  body: object,
): Promise<Response> {
  return sandbox.post(`${TASKS}/${task}/questions/${id}/answer`, body);
}

export interface Task {
  readonly status: string;
  readonly attempts_used: number;
  readonly outputs: readonly { readonly content: string }[];
  readonly attempts: readonly {
    readonly deadline: string;
    readonly started_at: string;
    readonly session: string | null;
  }[];
}

export async function whenDone(sandbox: Pick<Sandbox, 'get'>, id: string): Promise<Task> {
  const read = (): Promise<Task> => sandbox.get<Task>(`${TASKS}/${id}?expand=all`);
  await until(async () => (await read()).status === 'done', `${id} is done`, 60_000);
  return read();
}

interface LoggedEvent {
  readonly event: { readonly type: string } & Readonly<Record<string, unknown>>;
}

/** The events of one type about a task, in the log. */
export async function eventsOf(
  sandbox: Pick<Sandbox, 'get'>,
  id: string,
  type: string,
): Promise<LoggedEvent['event'][]> {
  const { events } = await sandbox.get<{ events: LoggedEvent[] }>(`${TASKS}/${id}?expand=events`);
  return events.map(({ event }) => event).filter((event) => event.type === type);
}

export const codeOf = async (response: Response): Promise<string> => {
  const { code } = (await response.json()) as { code: string };
  return `${response.status} ${code}`;
};
