/** Asking: what an attempt may ask, when, and how much. The same question again is asked once. */
import { type QuestionView, questionOf, questionsOf } from '../../../../projections/index.ts';
import { canonicalJson } from '../../../base/canonical-json.ts';
import { type Deferred, deferred } from '../../../base/deferred.ts';
import { sha256 } from '../../../base/hash.ts';
import { agentActor } from '../../../contracts/actors.ts';
import { SignalboxError } from '../../../contracts/errors.ts';
import type { EventOf } from '../../../contracts/events/events.ts';
import { type AttemptRef, attemptKey } from '../../../contracts/ids.ts';
import {
  MAX_OPEN_QUESTIONS,
  MAX_QUESTIONS,
  MAX_QUESTIONS_BYTES,
  type QuestionSpec,
} from '../../../contracts/questions.ts';
import type { CommitPipeline } from '../../runtime/commit-pipeline.ts';
import type { SupervisorContext } from '../supervisor-context.ts';
import type { AttemptTokens } from '../tokens.ts';
import { assertNotExpired, checkedQuestion } from './check.ts';
import { type QuestionRef, questionKey } from './question-ref.ts';
import { Underway } from './underway.ts';

export interface AskingParts extends SupervisorContext {
  readonly pipeline: CommitPipeline;
  readonly tokens: AttemptTokens;
}

const ID_LENGTH = 12;

export class Asking {
  readonly #options: AskingParts;
  readonly #underway = new Underway();
  /** Questions of attempts whose start is not recorded yet. */
  readonly #early = new Map<string, Deferred<void>[]>();

  constructor(options: AskingParts) {
    this.#options = options;
  }

  /**
   * Asks a question of an attempt that is open.
   * @param id generated if absent. @returns its id: the question is stored
   * @throws SignalboxError `stale_attempt`, `question_exists`, `too_many_questions`, `question_too_large`, `invalid_request`
   */
  async ask(ref: AttemptRef, id: string | undefined, given: QuestionSpec): Promise<string> {
    await this.#whenStarted(ref);
    const { project, task, attempt } = ref;
    const { environment, projections, pipeline } = this.#options;
    const question = id ?? environment.randomId(ID_LENGTH);
    const spec = { ...checkedQuestion(given), link_sha256: sha256(this.linkSecretOf({ ...ref, question })) };
    const key = questionKey({ ...ref, question });
    for (let each = this.#underway.of(key); each; each = this.#underway.of(key)) await each;
    const known = questionOf(projections.questions, ref, question);
    if (known) {
      assertSame(known, attempt, spec);
      return question;
    }
    assertNotExpired(spec, environment.clock.now());
    const agent = this.#assertMayAsk(ref, spec);
    const event: EventOf<'attempt.question_asked'> = {
      type: 'attempt.question_asked',
      project,
      task,
      attempt,
      agent,
      question,
      spec,
      asked_at_ms: environment.clock.now(),
    };
    await this.#underway.note(key, pipeline.commit(event, { actor: agentActor(agent) }));
    return question;
  }

  /** The secret of the link that answers this question. Derived, so that it need not be stored. */
  linkSecretOf(ref: QuestionRef): string {
    return this.#options.tokens.linkSecretOf(questionKey(ref));
  }

  /** The start of an attempt is recorded, or it has ended: its questions can be asked, or are refused. */
  onSettled(ref: AttemptRef): void {
    const key = attemptKey(ref);
    for (const waiting of this.#early.get(key) ?? []) waiting.resolve();
    this.#early.delete(key);
  }

  /** @returns the agent. @throws SignalboxError `stale_attempt`, `too_many_questions` */
  #assertMayAsk(ref: AttemptRef, spec: QuestionSpec): string {
    const { host, projections } = this.#options;
    const entity = host.get('attempt', attemptKey(ref));
    const state = entity?.state;
    const isAsking = state === 'running' || state === 'suspected' || state === 'waiting';
    if (!entity || !isAsking || entity.context.verdict !== null) {
      const why = entity?.context.verdict ? 'has reported its result' : `is ${state ?? 'over'}`;
      throw new SignalboxError(
        'stale_attempt',
        `attempt ${ref.attempt} ${why}: it can no longer ask questions`,
        { details: { attempt: ref.attempt, status: state } },
      );
    }
    const open = entity.context.questions.length;
    const earlier = questionsOf(projections.questions, ref);
    const asked = earlier.length;
    const bytes = earlier.reduce((sum, each) => sum + bytesOf(each.spec), bytesOf(spec));
    const isFull = asked >= MAX_QUESTIONS || bytes > MAX_QUESTIONS_BYTES;
    if (open < MAX_OPEN_QUESTIONS && !isFull) return entity.context.agent;
    const what =
      open < MAX_OPEN_QUESTIONS
        ? `the task has asked ${asked} questions; it may ask ${MAX_QUESTIONS}, of ${MAX_QUESTIONS_BYTES} bytes together`
        : `the attempt has ${open} open questions, and may have ${MAX_OPEN_QUESTIONS}: wait for their answers`;
    throw new SignalboxError('too_many_questions', what, { details: { open, asked } });
  }

  #whenStarted(ref: AttemptRef): Promise<void> {
    const key = attemptKey(ref);
    if (this.#options.host.get('attempt', key)?.state !== 'requested') return Promise.resolve();
    const waiting = deferred();
    this.#early.set(key, [...(this.#early.get(key) ?? []), waiting]);
    return waiting.promise;
  }
}

/** Sizes of questions: a stored one never changes. */
const sizes = new WeakMap<QuestionSpec, number>();

function bytesOf(spec: QuestionSpec): number {
  const bytes = sizes.get(spec) ?? Buffer.byteLength(JSON.stringify(spec));
  sizes.set(spec, bytes);
  return bytes;
}

/** @throws SignalboxError `question_exists` */
function assertSame(known: QuestionView, attempt: number, spec: QuestionSpec): void {
  // The time may have been given as seconds from now.
  const contentOf = ({ expires_at_ms, ...content }: QuestionSpec): string => canonicalJson(content);
  if (known.attempt === attempt && contentOf(known.spec) === contentOf(spec)) return;
  throw new SignalboxError(
    'question_exists',
    `the task has a question ${known.id} already, with different content: choose another id`,
    { details: { question: known.id, attempt: known.attempt } },
  );
}
