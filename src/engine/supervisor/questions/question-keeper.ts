/**
 * The questions of agents: asks them, answers them by rule, by a person, or when they expire, and parks what waits long. Long because
 * asking, answering and expiring decide about the same question.
 *
 * Invariant questions/answered-once: a question has exactly one answer in the log, the first. A later one gets
 * `question_answered`, with the answer that counts.
 * Which questions are open follows from the log, so a restart and a takeover find them as they were; one that expired
 * meanwhile gets its default then.
 */
import {
  openQuestions,
  type QuestionView,
  questionOf,
  questionsOf,
  rulesFor,
} from '../../../../projections/index.ts';
import { canonicalJson } from '../../../base/canonical-json.ts';
import { type Deferred, deferred } from '../../../base/deferred.ts';
import { sha256 } from '../../../base/hash.ts';
import { SignalboxError } from '../../../contracts/errors.ts';
import type { EventOf } from '../../../contracts/events/events.ts';
import { type AttemptRef, attemptKey, type TaskRef, taskKey } from '../../../contracts/ids.ts';
import {
  type AnswerSpec,
  isAllowing,
  isLasting,
  isRejecting,
  MAX_OPEN_QUESTIONS,
  MAX_QUESTIONS,
  MAX_QUESTIONS_BYTES,
  type PermissionPolicy,
  type QuestionOption,
  type QuestionSpec,
  type RecordedRule,
} from '../../../contracts/questions.ts';
import type { RunAnswer } from '../../../drivers/driver.ts';
import type { CommitPipeline } from '../../runtime/commit-pipeline.ts';
import type { AttemptKeeper } from '../attempt-keeper.ts';
import type { SupervisorContext } from '../supervisor-context.ts';
import type { AttemptTokens } from '../tokens.ts';
import { AnsweringAgents } from './answering-agents.ts';
import { checkedAnswer, checkedQuestion, type GivenAnswer } from './check.ts';
import { parkedAnswer } from './parked-answers.ts';
import { ASK_ALWAYS, exactGlob, inputGlob, rulingOf } from './permissions.ts';

/** How an agent may ask, by its configuration. */
export interface QuestionSettings {
  /** How long its process waits for an answer before it is ended; undefined: until the question expires. */
  readonly parkAfterMs?: number | undefined;
  readonly permissions?: PermissionPolicy | undefined;
  /** The agent that answers, unless a person does first. */
  readonly answeredBy?: string | undefined;
}

export interface QuestionRef extends TaskRef {
  readonly question: string;
}

/** What an answer adds to the rules: in which scope, and for which input; by default this one. */
export interface Remembering {
  readonly scope: RecordedRule['scope'];
  /** A glob. */
  readonly input?: string | undefined;
}

interface QuestionKeeperParts extends SupervisorContext {
  readonly pipeline: CommitPipeline;
  readonly tokens: AttemptTokens;
  readonly attempts: Pick<AttemptKeeper, 'requestStop'>;
}

const ID_LENGTH = 12;
const ACTOR = 'supervisor';

export class QuestionKeeper {
  readonly #options: QuestionKeeperParts;
  /** Asked, and not stored yet. */
  readonly #asking = new Map<string, Promise<unknown>>();
  /** Answered, and not stored yet. */
  readonly #answering = new Map<string, Promise<unknown>>();
  /** Questions of attempts whose start is not recorded yet. */
  readonly #early = new Map<string, Deferred<void>[]>();
  /** The agents that answer. */
  readonly agents: AnsweringAgents;

  constructor(options: QuestionKeeperParts) {
    this.#options = options;
    this.agents = new AnsweringAgents({
      ...options,
      answer: (question, answer, actor) =>
        this.#decide({ ...question, question: question.id }, answer, actor),
    });
  }

  /**
   * Asks a question of an attempt that is open. The same question again (the same id and content) is asked once.
   * @param id generated if absent. @returns the stored question
   * @throws SignalboxError `stale_attempt`, `question_exists`, `too_many_questions`, `question_too_large`, `invalid_request`
   */
  async ask(ref: AttemptRef, id: string | undefined, given: QuestionSpec): Promise<QuestionView> {
    await this.#whenStarted(ref);
    const { project, task, attempt } = ref;
    const question = id ?? this.#options.environment.randomId(ID_LENGTH);
    const spec = { ...checkedQuestion(given), link_sha256: sha256(this.linkSecretOf({ ...ref, question })) };
    const key = questionKey({ ...ref, question });
    await this.#asking.get(key)?.catch(() => {});
    const known = questionOf(this.#options.projections.questions, ref, question);
    if (known) return same(known, attempt, spec);
    const agent = this.#assertMayAsk(ref, spec);
    const event: EventOf<'attempt.question_asked'> = {
      type: 'attempt.question_asked',
      project,
      task,
      attempt,
      agent,
      question,
      spec,
      asked_at_ms: this.#options.environment.clock.now(),
    };
    await this.#once(this.#asking, key, this.#options.pipeline.commit(event, { actor: `agent:${agent}` }));
    return this.#view({ ...ref, question });
  }

  /**
   * Answers a question. The caller has checked who may.
   * @param remembering what a lasting option records; null: nothing
   * @throws SignalboxError `question_not_found`, `question_answered`, `option_not_offered`, `answer_invalid`,
   * `answer_too_large`
   */
  async answer(
    ref: QuestionRef,
    given: GivenAnswer,
    actor: string,
    remembering?: Remembering | null,
  ): Promise<QuestionView> {
    const key = questionKey(ref);
    // From the last look on nothing is awaited: the first caller decides.
    for (let underway = this.#answering.get(key); underway; underway = this.#answering.get(key))
      await underway.catch(() => {});
    const view = this.#unanswered(ref);
    const answer = checkedAnswer(view.spec, given);
    const rule = this.#ruleOf(view, answer, remembering);
    await this.#once(
      this.#answering,
      key,
      this.#options.pipeline.commit(this.#eventOf(ref, answer, rule), { actor }),
    );
    return this.#view(ref);
  }

  /** The secret of the link that answers this question. Derived, so that it need not be stored. */
  linkSecretOf(ref: QuestionRef): string {
    return this.#options.tokens.linkSecretOf(questionKey(ref));
  }

  /** Does what is due for every open question. Call it once, after the attempts were resumed. */
  takeUpAll(): void {
    for (const view of openQuestions(this.#options.projections.questions)) this.#takeUp(view);
  }

  /** Reacts to a stored question. */
  onAsked(event: EventOf<'attempt.question_asked'>): void {
    const view = questionOf(this.#options.projections.questions, event, event.question);
    if (view) this.#takeUp(view);
  }

  /** Reacts to a stored answer. */
  onAnswered(event: EventOf<'attempt.question_answered'>): void {
    const { timers, projections } = this.#options;
    timers.cancel(`question:${questionKey(event)}`);
    if (event.attempt !== null && event.deadline_ms !== undefined)
      timers.cancel(`park:${attemptKey({ ...event, attempt: event.attempt })}`);
    const answered = questionOf(projections.questions, event, event.question);
    if (answered) this.agents.onAnswered(answered);
    if (!event.rule) return;
    for (const view of openQuestions(projections.questions)) {
      if (view.agent === event.rule.agent) this.#decideByRule(view);
    }
  }

  /** The start of an attempt is recorded, or it has ended: its questions can be asked, or are refused. */
  onSettled(ref: AttemptRef): void {
    const key = attemptKey(ref);
    for (const waiting of this.#early.get(key) ?? []) waiting.resolve();
    this.#early.delete(key);
    if (!this.#options.host.get('attempt', key)) this.#options.timers.cancel(`park:${key}`);
  }

  /** The agent no longer waits for an answer to this question of its attempt. Does nothing if it has one. */
  withdraw({ project, task, attempt }: AttemptRef, question: string): void {
    const isAsked = this.#options.host
      .get('attempt', attemptKey({ project, task, attempt }))
      ?.context.questions.includes(question);
    if (!isAsked) return;
    const comment = 'the agent no longer waits for an answer';
    this.#decide({ project, task, question }, { action: 'cancelled', comment });
  }

  /** Answers the open questions of a task as cancelled. @param reason for a reader */
  cancelOpen(ref: TaskRef, reason: string): void {
    const open = this.#options.host.get('task', taskKey(ref))?.context.questions ?? [];
    for (const question of open) {
      this.#decide({ ...ref, question }, { action: 'cancelled', comment: reason });
    }
  }

  /** The answers to the questions of an attempt, for its run. */
  answersFor(ref: AttemptRef): RunAnswer[] {
    return questionsOf(this.#options.projections.questions, ref)
      .filter(({ attempt }) => attempt === ref.attempt)
      .flatMap((view) => runAnswerOf(view) ?? []);
  }

  answerTo(ref: QuestionRef): RunAnswer | null {
    const view = questionOf(this.#options.projections.questions, ref, ref.question);
    return view ? runAnswerOf(view) : null;
  }

  #takeUp(view: QuestionView): void {
    if (this.#decideByRule(view)) return;
    const { timers, host } = this.#options;
    const { expires_at_ms: expiresAt, park } = view.spec;
    const key = questionKey({ ...view, question: view.id });
    if (expiresAt !== undefined) timers.set(`question:${key}`, expiresAt, () => this.#expire(view));
    this.agents.takeUp(view);
    const entity = host.get('attempt', attemptKey(view));
    if (entity?.state !== 'waiting') return;
    const parkAfterMs = park === true ? 0 : this.#settingsOf(view.agent).parkAfterMs;
    if (parkAfterMs === undefined) return;
    if (parkAfterMs === 0) return this.#park(view);
    const at = (entity.context.waitingSince ?? view.askedAt) + parkAfterMs;
    timers.set(`park:${attemptKey(view)}`, at, () => this.#park(view));
  }

  #park(ref: AttemptRef): void {
    if (this.#options.host.get('attempt', attemptKey(ref))?.state === 'waiting')
      this.#options.attempts.requestStop(ref, 'parked');
  }

  #expire({ spec, id, ...ref }: QuestionView): void {
    const { option, content } = spec.default ?? {};
    this.#decide({ ...ref, question: id }, { action: 'expired', option, content });
  }

  /** @returns whether a rule has answered it */
  #decideByRule(view: QuestionView): boolean {
    const { kind, about, options = [] } = view.spec;
    if (kind !== 'permission' || about === undefined) return false;
    const recorded = rulesFor(this.#options.projections.questions, view.agent, view);
    const { decision, why } = rulingOf(
      this.#settingsOf(view.agent).permissions ?? ASK_ALWAYS,
      recorded,
      about,
    );
    if (decision === 'ask') return this.#decideAsBefore(view);
    const chosen = options.filter(decision === 'allow' ? isAllowing : isRejecting);
    // A rule must not record another one.
    const option = chosen.find((each) => !isLasting(each)) ?? chosen[0];
    if (decision === 'allow' && !option) return false;
    const action = decision === 'allow' ? 'accepted' : 'declined';
    this.#decide({ ...view, question: view.id }, { action, option: option?.id, comment: `by ${why}` });
    return true;
  }

  /** @returns whether a person has answered it while an earlier attempt was parked */
  #decideAsBefore(view: QuestionView): boolean {
    const before = parkedAnswer(questionsOf(this.#options.projections.questions, view), view);
    if (!before) return false;
    const { action, option, comment = `the same answer as ${before.by} gave before` } = before;
    this.#decide({ ...view, question: view.id }, { action, option, comment });
    return true;
  }

  /** Does nothing if it is answered. */
  #decide(ref: QuestionRef, answer: AnswerSpec, actor = ACTOR): void {
    const key = questionKey(ref);
    if (!this.#isOpen(ref) || this.#answering.has(key)) return;
    const committed = this.#options.pipeline.commit(this.#eventOf(ref, answer), { actor });
    void this.#once(this.#answering, key, committed).catch((error: unknown) =>
      this.#options.logger.warn({ err: error, question: key }, 'a question could not be answered'),
    );
  }

  #eventOf(
    { project, task, question }: QuestionRef,
    answer: AnswerSpec,
    rule?: RecordedRule,
  ): EventOf<'attempt.question_answered'> {
    const { host, environment } = this.#options;
    const attempt = host.get('task', taskKey({ project, task }))?.context.openAttempt ?? null;
    const entity = attempt === null ? undefined : host.get('attempt', attemptKey({ project, task, attempt }));
    const { questions = [], waitingSince = null, deadline = null } = entity?.context ?? {};
    const isLast = entity?.state === 'waiting' && questions.length === 1 && questions[0] === question;
    const waitedMs = waitingSince === null ? 0 : Math.max(0, environment.clock.now() - waitingSince);
    return {
      type: 'attempt.question_answered',
      project,
      task,
      attempt: questions.includes(question) ? attempt : null,
      question,
      ...answer,
      rule,
      deadline_ms: isLast && deadline !== null ? Math.round(deadline + waitedMs) : undefined,
    };
  }

  #ruleOf(
    { agent, spec: { kind, about, options = [] } }: QuestionView,
    { option }: AnswerSpec,
    remembering: Remembering | null | undefined,
  ): RecordedRule | undefined {
    const chosen = options.find(({ id }) => id === option);
    if (remembering === null || kind !== 'permission' || about?.tool === undefined) return undefined;
    if (!chosen || !isLasting(chosen)) return undefined;
    const input = remembering?.input ?? inputGlob(about);
    if (input === undefined) return undefined;
    return {
      id: this.#options.environment.randomId(ID_LENGTH),
      scope: remembering?.scope ?? 'task',
      agent,
      tool: exactGlob(about.tool),
      input,
      decision: isAllowing(chosen) ? 'allow' : 'deny',
    };
  }

  /** @throws SignalboxError `question_not_found`, `question_answered` */
  #unanswered(ref: QuestionRef): QuestionView {
    const view = this.#view(ref);
    if (view.answer === null) return view;
    const { action, option, by } = view.answer;
    const how = option === undefined ? action : `${action}, option ${option}`;
    throw new SignalboxError(
      'question_answered',
      `question ${ref.question} of task ${ref.task} was answered by ${by} (${how}): that answer counts`,
      { details: { ...ref, answer: view.answer } },
    );
  }

  /** @throws SignalboxError `question_not_found` */
  #view(ref: QuestionRef): QuestionView {
    const view = questionOf(this.#options.projections.questions, ref, ref.question);
    if (view) return view;
    const { project, task, question } = ref;
    const message = `task ${task} in project ${project} has no question ${question}`;
    throw new SignalboxError('question_not_found', message, { details: { project, task, question } });
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
        {
          details: { attempt: ref.attempt, status: state },
        },
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

  /** Whether it is open, decisions that are not stored included. */
  #isOpen(ref: QuestionRef): boolean {
    return this.#options.host.get('task', taskKey(ref))?.context.questions.includes(ref.question) ?? false;
  }

  #settingsOf(agent: string): QuestionSettings {
    return this.#options.roster.get(agent)?.questions ?? {};
  }

  /** Notes a decision until it is stored. */
  async #once(table: Map<string, Promise<unknown>>, key: string, committed: Promise<unknown>): Promise<void> {
    table.set(key, committed);
    try {
      await committed;
    } finally {
      table.delete(key);
    }
  }
}

/** Sizes of questions: a stored one never changes. */
const sizes = new WeakMap<QuestionSpec, number>();

function bytesOf(spec: QuestionSpec): number {
  const bytes = sizes.get(spec) ?? Buffer.byteLength(JSON.stringify(spec));
  sizes.set(spec, bytes);
  return bytes;
}

function questionKey(ref: QuestionRef): string {
  return `${taskKey(ref)}/${ref.question}`;
}

/** @throws SignalboxError `question_exists` */
function same(known: QuestionView, attempt: number, spec: QuestionSpec): QuestionView {
  // The time may have been given as seconds from now.
  const contentOf = ({ expires_at_ms, ...content }: QuestionSpec): string => canonicalJson(content);
  if (known.attempt === attempt && contentOf(known.spec) === contentOf(spec)) return known;
  throw new SignalboxError(
    'question_exists',
    `the task has a question ${known.id} already, with different content: choose another id`,
    { details: { question: known.id, attempt: known.attempt } },
  );
}

function runAnswerOf({ id, answer, spec }: QuestionView): RunAnswer | null {
  if (answer === null) return null;
  const { action, option, content, comment, by } = answer;
  const chosen: QuestionOption | undefined = spec.options?.find((each) => each.id === option);
  return { question: id, action, option, chosen, content, comment, by };
}
