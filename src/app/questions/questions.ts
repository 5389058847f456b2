/**
 * Asking, reading and answering questions.
 *
 * Invariant access/attempt-speaks-for-itself: an attempt asks with its own token. It never answers its own question, and
 * that of another attempt only in the task that Signalbox created for this answer, by the agent that the configuration names.
 */
import { openQuestions, type QuestionView, type RuleView } from '../../../projections/index.ts';
import type {
  AnswerQuestion,
  AskQuestion,
  ListQuestions,
  QuestionJson,
  RuleList,
} from '../../contracts/api/questions.ts';
import type { Attribution, Decision } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { type AttemptRef, attemptKey, type TaskRef, taskKey } from '../../contracts/ids.ts';
import { NO_LONGER_WAITS, type QuestionOption, type QuestionSpec } from '../../contracts/questions.ts';
import { isAnswerTo } from '../../engine/supervisor/questions/answering-agents.ts';
import { ASK_ALWAYS } from '../../engine/supervisor/questions/permissions.ts';
import type { QuestionRef } from '../../engine/supervisor/questions/question-ref.ts';
import { type AttemptPrincipal, authenticateQuestion, principalOf } from '../agents/agent-messages.ts';
import { readAgent } from '../agents/agents.ts';
import { type AppContext, deciderOf, findQuestions, findTask, taskInMemory } from '../context.ts';
import type { TaskUpdates } from '../events/follow.ts';
import { questionJson, ruleJson } from './question-json.ts';

/**
 * @throws SignalboxError `unauthorized`, `stale_attempt`, `question_exists`, `too_many_questions`, `question_too_large`,
 * `invalid_request`
 */
export async function askQuestion(
  app: AppContext,
  task: TaskRef,
  { id, ...request }: AskQuestion,
  token: string | null,
): Promise<QuestionJson> {
  const principal = await authenticateQuestion(app, task, token);
  app.log.assertWritable();
  const spec = specOf(request, app.environment.clock.now());
  return questionJson(await app.supervision.supervisor.questions.ask(principal, id, spec));
}

function specOf(request: Omit<AskQuestion, 'id'>, now: number): QuestionSpec {
  const { expires_at, expires_in_seconds, options, kind, ...spec } = request;
  const usual = options ? 'choice' : request.schema ? 'form' : 'text';
  const expires_at_ms =
    expires_at === undefined
      ? expires_in_seconds && Math.round(now + expires_in_seconds * 1_000)
      : Date.parse(expires_at);
  return {
    ...spec,
    kind: kind ?? usual,
    ...(options && { options: options.map(optionOf) }),
    ...(expires_at_ms !== undefined && { expires_at_ms }),
  };
}

function optionOf(option: NonNullable<AskQuestion['options']>[number]): QuestionOption {
  if (typeof option === 'string') return { id: option, label: option };
  return { ...option, label: option.label ?? option.id };
}

/** The open questions, the oldest first. */
export function listQuestions(app: AppContext, { project, agent }: ListQuestions): QuestionJson[] {
  return openQuestions(app.state.projections.questions)
    .filter((each) => project === undefined || each.project === project)
    .filter((each) => agent === undefined || each.agent === agent)
    .map(questionJson);
}

/** All questions of a task, the first one first. @throws SignalboxError `task_not_found`, `log_unavailable` */
export async function listTaskQuestions(app: AppContext, ref: TaskRef): Promise<QuestionJson[]> {
  return (await findQuestions(app, ref)).map(questionJson);
}

export interface AnswerWait {
  readonly waitMs: number;
  readonly gone: AbortSignal;
  /** The attempt that reads; null for people. */
  readonly reader: AttemptRef | null;
}

/**
 * A question; if it is open, waits for its answer. The attempt that asked it thereby says that it waits.
 * @throws SignalboxError `task_not_found`, `question_not_found`, `log_unavailable`
 */
export async function readQuestion(
  app: AppContext,
  updates: TaskUpdates,
  ref: QuestionRef,
  { waitMs, gone, reader }: AnswerWait,
): Promise<QuestionJson> {
  const question = await findQuestion(app, ref);
  if (question.answer !== null) return questionJson(question);
  const isAsker = reader !== null && attemptKey(reader) === attemptKey(question);
  const stopWaiting = isAsker ? app.supervision.supervisor.questions.attend(reader, ref.question) : null;
  try {
    if (waitMs <= 0) return questionJson(question);
    const isAnswered = ({ openQuestions: open }: { readonly openQuestions: readonly string[] }): boolean =>
      !open.includes(ref.question);
    await updates.until(await findTask(app, ref), isAnswered, waitMs, gone);
    return questionJson(await findQuestion(app, ref));
  } finally {
    stopWaiting?.();
  }
}

/** A question as it is now. @throws SignalboxError `task_not_found`, `question_not_found`, `log_unavailable` */
export async function readStoredQuestion(app: AppContext, ref: QuestionRef): Promise<QuestionJson> {
  return questionJson(await findQuestion(app, ref));
}

/** @throws SignalboxError `task_not_found`, `question_not_found`, `log_unavailable` */
async function findQuestion(app: AppContext, ref: QuestionRef): Promise<QuestionView> {
  const found = (await findQuestions(app, ref)).find(({ id }) => id === ref.question);
  if (found) return found;
  const { project, task, question } = ref;
  const message = `task ${task} in project ${project} has no question ${question}`;
  throw new SignalboxError('question_not_found', message, { details: { project, task, question } });
}

/**
 * Answers a question as a person, or as the agent that may.
 * @throws SignalboxError `question_not_found`, `question_answered`, `option_not_offered`, `answer_invalid`,
 * `answer_too_large`, `own_question`, `forbidden`
 */
export async function answerQuestion(
  app: AppContext,
  ref: QuestionRef,
  request: AnswerQuestion,
  { actor, token }: { readonly actor: string; readonly token: string | null },
): Promise<QuestionJson> {
  const question = await findQuestion(app, ref);
  if (token !== null) assertMayAnswer(app, question, principalOf(app, token, ref));
  if (token === null) return answerAs(app, ref, request, deciderOf(request, actor));
  return answerAs(app, ref, { ...request, remember: null }, actor);
}

/** An answer of the caller; with `remember: null` a lasting option holds for this question only: only people make rules. */
type Answer = Omit<AnswerQuestion, 'remember'> & { readonly remember?: AnswerQuestion['remember'] | null };

/** Answers a question under a name. The caller has checked who may. @throws SignalboxError as `answerQuestion` */
export async function answerAs(
  app: AppContext,
  ref: QuestionRef,
  { action, option, content, text, comment, remember }: Answer,
  actor: string,
): Promise<QuestionJson> {
  if (content !== undefined && text !== undefined)
    throw new SignalboxError('answer_invalid', 'give either "content" or "text"');
  app.log.assertWritable();
  const given = { action, option, comment, content: text === undefined ? content : { text } };
  return questionJson(await app.supervision.supervisor.questions.answer(ref, given, actor, remember));
}

/**
 * Withdraws a question, as the attempt that asked it or as a person: its answer is then `cancelled`.
 * @throws SignalboxError `question_not_found`, `question_answered`, `forbidden`, `stale_attempt`
 */
export async function withdrawQuestion(
  app: AppContext,
  ref: QuestionRef,
  request: Decision,
  { actor, token }: { readonly actor: string; readonly token: string | null },
): Promise<QuestionJson> {
  const question = await findQuestion(app, ref);
  // One that has an answer is refused with it.
  if (token !== null && question.answer === null)
    assertMayWithdraw(app, question, principalOf(app, token, ref));
  app.log.assertWritable();
  const by = token === null ? deciderOf(request, actor) : actor;
  const comment = request.comment ?? (token === null ? undefined : NO_LONGER_WAITS);
  const { project, task } = ref;
  return questionJson(
    await app.supervision.supervisor.questions.cancel({ project, task, question: ref.question }, comment, by),
  );
}

/** @throws SignalboxError `forbidden`, `stale_attempt` */
function assertMayWithdraw(
  app: AppContext,
  question: QuestionView,
  principal: AttemptPrincipal | null,
): void {
  if (principal === null || attemptKey(principal) !== attemptKey(question)) {
    throw new SignalboxError(
      'forbidden',
      `only attempt ${question.attempt} of task ${taskKey(question)}, which asked question ${question.id}, and people withdraw it`,
    );
  }
  // Also what is being parked: the signal that ends its process is no decision of the agent.
  const state = app.state.host.get('attempt', attemptKey(question))?.state;
  if (state !== undefined && state !== 'stopping') return;
  throw new SignalboxError(
    'stale_attempt',
    `attempt ${question.attempt} is ${state ?? 'over'}: what becomes of its questions is decided without it`,
    { details: { attempt: question.attempt, status: state } },
  );
}

/** @throws SignalboxError `own_question`, `forbidden` */
function assertMayAnswer(app: AppContext, question: QuestionView, principal: AttemptPrincipal | null): void {
  const { project, task, attempt } = question;
  if (principal?.project === project && principal.task === task) {
    const whose = principal.attempt === attempt ? 'its own question' : 'a question of its own task';
    throw new SignalboxError('own_question', `an attempt cannot answer ${whose}: wait for the answer`);
  }
  const allowed = app.supervision.roster.get(question.agent)?.questions?.answeredBy;
  // Its other tasks may be children of the one that asks, with a text that says what to answer.
  const own = principal?.project === project ? taskInMemory(app, principal) : undefined;
  if (own && isAnswerTo(own, question) && principal?.agent === allowed) return;
  const others =
    allowed === undefined ? '' : `, and agent ${allowed} in the task that Signalbox created for this one,`;
  throw new SignalboxError(
    'forbidden',
    `only people${others} answer question ${question.id} of ${taskKey(question)} (answered_by of agent ${question.agent})`,
  );
}

/** The rules about permissions of an agent. @throws SignalboxError `agent_not_found` */
export function listRules(app: AppContext, agent: string): RuleList {
  readAgent(app, agent);
  const policy = app.supervision.roster.get(agent)?.questions?.permissions ?? ASK_ALWAYS;
  const configured = policy.rules.map(({ tool, input = null, decision }) => ({
    id: null,
    scope: 'agent' as const,
    task: null,
    tool,
    input,
    decision,
    by: 'configuration',
    recorded_at: null,
  }));
  return { default: policy.default, rules: [...configured, ...recordedRules(app, agent).map(ruleJson)] };
}

function recordedRules({ state }: AppContext, agent: string): RuleView[] {
  return [...state.projections.questions.rules.values()].filter((rule) => rule.agent === agent).reverse();
}

/** Ends a recorded rule. @throws SignalboxError `agent_not_found`, `rule_not_found` */
export async function revokeRule(
  app: AppContext,
  { agent, rule }: { readonly agent: string; readonly rule: string },
  request: Attribution,
  actor: string,
): Promise<RuleList> {
  readAgent(app, agent);
  if (app.state.projections.questions.rules.get(rule)?.agent !== agent) {
    throw new SignalboxError(
      'rule_not_found',
      `agent ${agent} has no recorded rule ${rule}: list them with "signalbox agent rules ${agent}"`,
    );
  }
  app.log.assertWritable();
  const event = { type: 'agent.permission_revoked', agent, rule } as const;
  await app.log.commit(event, { actor: deciderOf(request, actor) });
  return listRules(app, agent);
}
