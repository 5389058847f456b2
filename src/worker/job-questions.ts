/** The questions of a job: asked by messages, which are sent again to ask for the answer. */
import { pause } from '../base/time.ts';
import type { GivenAnswerJson } from '../contracts/api/questions.ts';
import { ERROR_CODES, type ErrorCode, SignalboxError } from '../contracts/errors.ts';
import type { AgentMessageInput, SteeringFields } from '../contracts/messages/agent-messages.ts';
import type { WorkerConnection } from './connection.ts';

/** With an id: the same question again is asked once. */
export type JobQuestion = AgentMessageInput<'question'>['ask'] & { readonly id: string };

/** What every message about a job has. */
export type JobAddress = Pick<
  AgentMessageInput<'result'>,
  'project' | 'taskId' | 'attempt' | 'token' | 'worker' | keyof SteeringFields
>;

/** How long Signalbox has to answer before it is asked again. */
export const MAX_ANSWER_MS = 5_000;
/** How often an open question is looked at. */
const LOOK_MS = 2_000;
const NEVER = new AbortController().signal;

interface Asker {
  readonly connection: WorkerConnection;
  readonly nextId: () => string;
  readonly address: () => JobAddress;
  /** Aborted when the run is to end. */
  readonly stop: AbortSignal;
  /** Aborted when it has ended. */
  readonly over: AbortSignal;
}

/** As `JobContext.ask`. */
export async function askQuestion(
  asker: Asker,
  ask: JobQuestion,
  onAsked: () => void = () => {},
  gone: AbortSignal = NEVER,
): Promise<GivenAnswerJson> {
  const { connection, nextId, address, over } = asker;
  let isWithdrawn = false;
  for (let isAsked = false; ; ) {
    const answer = await connection.ask('question', nextId(), { ...address(), ask }, MAX_ANSWER_MS);
    if (!answer.ok || answer.question === undefined)
      throw new SignalboxError(
        codeOf(answer.code),
        answer.detail ?? 'Signalbox did not say what became of it',
      );
    if (!isAsked) onAsked();
    isAsked = true;
    if (answer.question.answer) return answer.question.answer;
    await pause(LOOK_MS, isWithdrawn ? over : AbortSignal.any([over, gone]));
    if (over.aborted || connection.closed.aborted)
      throw new SignalboxError('shutting_down', 'the run is over: nothing waits for the answer');
    if (gone.aborted && !isWithdrawn) {
      isWithdrawn = true;
      await withdraw(asker, ask.id);
    }
  }
}

/** What becomes of the question of a run that is being stopped is decided without it. */
async function withdraw({ connection, nextId, address, stop }: Asker, question: string): Promise<void> {
  if (!stop.aborted) await connection.ask('withdrawal', nextId(), { ...address(), question }, MAX_ANSWER_MS);
}

function codeOf(code: string | undefined): ErrorCode {
  return Object.keys(ERROR_CODES).find((each): each is ErrorCode => each === code) ?? 'internal';
}
