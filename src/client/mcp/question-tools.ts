/** The tools about questions: asking as an agent, and answering as the agent that supervises others. */
import type { ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { canonicalJson } from '../../base/canonical-json.ts';
import { deferred } from '../../base/deferred.ts';
import { sha256 } from '../../base/hash.ts';
import { Lru } from '../../base/lru.ts';
import type { QuestionJson } from '../../contracts/api/questions.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { taskKey } from '../../contracts/ids.ts';
import { formSchema, questionAboutSchema, RULE_SCOPES } from '../../contracts/questions.ts';
import { isCancelled } from './cancellation.ts';
import { addTool, type McpSession, READS, type Tools, WRITES } from './session.ts';

/** The questions whose call ended before the answer: what is asked again gets it. Kept for the life of this process. */
class Abandoned {
  readonly #keys = new Lru<string, true>(MAX_ABANDONED);

  has(question: Key): boolean {
    return this.#keys.get(keyOf(question)) === true;
  }

  note(question: Key): void {
    this.#keys.set(keyOf(question), true);
  }

  forget(question: Key): void {
    this.#keys.delete(keyOf(question));
  }
}

type Key = Pick<QuestionJson, 'project' | 'task' | 'id'>;

function keyOf({ project, task, id }: Key): string {
  return `${taskKey({ project, task })}/${id}`;
}

/** How long one request waits for the answer: clients expect a sign of progress. */
const WAIT_SECONDS = 10;
const MAX_ABANDONED = 10_000;
const abandoned = new Abandoned();

const taskIdSchema = z.string().optional().describe('The task of the question. Default: the one that asks.');

export function addQuestionTools(tools: Tools, session: McpSession): void {
  addAsk(tools, session);
  addAnswering(tools, session);
}

function addAsk(tools: Tools, session: McpSession): void {
  const { client, identity } = session;
  addTool(tools, 'ask', {
    title: 'Ask a question',
    description:
      'Asks a person a question and waits for the answer, as long as it takes. If the connection breaks, call it again with the same arguments: it waits on and asks nothing twice. With an "id" that holds for ever. A call without one that is cancelled withdraws its question.',
    input: z.strictObject({
      message: z.string(),
      options: z.array(z.string()).optional().describe('Answers to choose from. Default: any text.'),
      schema: formSchema.optional().describe('A flat JSON Schema, for an answer with several values.'),
      about: questionAboutSchema.optional().describe('What it is about: tool, input, diff, path.'),
      expires_in_seconds: z.number().positive().optional(),
      default_option: z.string().optional().describe('What applies if it expires.'),
      id: z.string().optional().describe('Your id for this question: letters, digits, "_" and "-".'),
    }),
    annotations: { ...WRITES, idempotentHint: true },
    run: async ({ default_option: option, id, ...question }, _trace, context) => {
      const { task } = identity;
      if (task === undefined)
        throw new SignalboxError('invalid_request', 'you work on no task: only an attempt asks');
      const ref = { project: identity.project, task };
      const request = { ...question, default: option === undefined ? undefined : { option } };
      const known = id === undefined ? await sameAsBefore(session, task, request) : id;
      const asked = await client.askQuestion({ ...ref, ...request, id: known });
      return awaitAnswer(session, asked, context, id === undefined);
    },
  });
}

/**
 * An id for a question without one. A call that repeats a question is taken for the same one while it is open, and if its
 * answer was lost with the connection; otherwise it is asked anew.
 */
async function sameAsBefore(
  { client, identity }: McpSession,
  task: string,
  request: object,
): Promise<string> {
  const { questions } = await client.listTaskQuestions({ project: identity.project, task });
  const byId = new Map(questions.map((each) => [each.id, each]));
  for (let number = 1; ; number++) {
    const id = sha256(`${canonicalJson(request)} ${number}`).slice(0, 24);
    const known = byId.get(id);
    if (!known || known.answer === null || abandoned.has(known)) return id;
  }
}

/**
 * Waits until the question is answered or the call has ended. A call that its client cancels withdraws its question.
 * @param isWithdrawable false: the same question may be asked for again, by its id
 */
async function awaitAnswer(
  { client, gone, waiting }: McpSession,
  asked: QuestionJson,
  { mcpReq }: ServerContext,
  isWithdrawable: boolean,
): Promise<object> {
  const { project, task, id: question } = asked;
  using call = waiting?.calls.begin(waiting.caller, mcpReq.id);
  const cancelled = call?.signal ?? mcpReq.signal;
  const signals = [cancelled, mcpReq.signal, gone];
  const isOver = (): boolean => signals.some(({ aborted }) => aborted);
  using over = whenAborted(signals);
  let current = asked;
  for (let progress = 1; current.answer === null && !isOver(); progress++) {
    await tellProgress(mcpReq, progress);
    const read = client.readQuestion({ project, task, question, wait: WAIT_SECONDS });
    current = (await Promise.race([read, over.promise])) ?? current;
  }
  if (isWithdrawable && current.answer === null && isCancelled(cancelled)) {
    // It may be answered at this moment.
    await client.withdrawQuestion({ project, task, question }).catch(() => {});
  } else if (isOver()) abandoned.note(asked);
  else abandoned.forget(asked);
  return { id: question, answer: current.answer };
}

/** Resolves when one of them is aborted. Listens until it is disposed. */
function whenAborted(signals: readonly AbortSignal[]): Disposable & { readonly promise: Promise<null> } {
  const { promise, resolve } = deferred<null>();
  const listening = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { signal: listening.signal });
  }
  return { promise, [Symbol.dispose]: () => listening.abort() };
}

async function tellProgress(mcpReq: ServerContext['mcpReq'], progress: number): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  const params = { progressToken, progress, message: 'waiting for the answer' };
  await mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {});
}

function addAnswering(tools: Tools, { client, identity }: McpSession): void {
  addTool(tools, 'question_list', {
    title: 'List questions',
    description: 'Lists the open questions of the agents in your project, oldest first.',
    input: z.strictObject({ agent: z.string().optional() }),
    annotations: READS,
    run: ({ agent }) => client.listQuestions({ project: identity.project, agent }),
  });
  addTool(tools, 'question_answer', {
    title: 'Answer a question',
    description:
      'Answers an open question of another agent. The first answer counts. Give an option, a text, the values of a form, or decline.',
    input: z.strictObject({
      question_id: z.string(),
      task_id: taskIdSchema,
      option: z.string().optional(),
      text: z.string().optional(),
      content: z
        .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]))
        .optional(),
      decline: z.boolean().default(false),
      comment: z.string().optional(),
      scope: z.enum(RULE_SCOPES).optional().describe('For allow_always and reject_always.'),
    }),
    annotations: WRITES,
    run: async ({ question_id: question, task_id, decline, scope, ...answer }) => {
      const { project } = identity;
      const task = task_id ?? (await taskOf(question));
      return client.answerQuestion({
        project,
        task,
        question,
        ...answer,
        by: identity.author,
        action: decline ? 'declined' : 'accepted',
        ...(scope && { remember: { scope } }),
      });
    },
  });
  addTool(tools, 'task_steer', {
    title: 'Send a message to a running task',
    description: 'Sends a message to the agent of a task, while it works or before its next attempt.',
    input: z.strictObject({ task_id: z.string(), text: z.string() }),
    annotations: WRITES,
    run: ({ task_id: task, text }) =>
      client.steerTask({ project: identity.project, task, text, by: identity.author }),
  });

  /** @throws SignalboxError `question_not_found` */
  async function taskOf(question: string): Promise<string> {
    const { questions } = await client.listQuestions({ project: identity.project });
    const found = questions.find(({ id }) => id === question);
    if (found) return found.task;
    throw new SignalboxError('question_not_found', `no question ${question} is open in ${identity.project}`);
  }
}
