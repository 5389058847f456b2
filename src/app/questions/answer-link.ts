/**
 * Links with which one question can be answered, and nothing else: for a chat bot or a phone.
 *
 * Invariant access/answer-link-one-question: a link names its question and proves it with a secret that belongs to that
 * question only. It is valid until the question is answered, and for a week at most. The log has only a hash of its secret.
 */
import { timingSafeEqual } from 'node:crypto';
import { type QuestionView, questionsOf } from '../../../projections/index.ts';
import { sha256 } from '../../base/hash.ts';
import { userActor } from '../../contracts/actors.ts';
import type { AnswerLink, LinkAnswer, LinkedQuestion } from '../../contracts/api/answer-links.ts';
import type { QuestionJson } from '../../contracts/api/questions.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { ID_PATTERN } from '../../contracts/ids.ts';
import type { QuestionRef } from '../../engine/supervisor/questions/question-ref.ts';
import { type AppContext, findQuestions } from '../context.ts';
import type { FeedEvent } from '../events/event-feed.ts';
import { timeOf } from '../tasks/task-json.ts';
import { questionJson } from './question-json.ts';
import { answerAs } from './questions.ts';

const LIFETIME_MS = 7 * 24 * 3_600_000;

/** The link of an open question. @param url at which Signalbox is reached from outside */
function linkOf({ supervision }: AppContext, question: QuestionView, url: string): AnswerLink {
  const { project, task, id } = question;
  const secret = supervision.supervisor.questions.linkSecretOf({ project, task, question: id });
  const token = [project, task, id, secret].join('.');
  return {
    url: `${url}/api/answer-links/${token}`,
    page: `${url}/ui/answer#${token}`,
    expires_at: timeOf(expiryOf(question)),
  };
}

/** The link of the question that an event asks; null for any other event, and for a question that is answered. */
export function answerLinkFor(app: AppContext, event: FeedEvent, url: string | null): AnswerLink | null {
  const { type, project, task, sequence } = event;
  if (type !== 'attempt.question_asked' || url === null || project === null || task === null) return null;
  const asked = questionsOf(app.state.projections.questions, { project, task });
  const question = asked.find((each) => each.sequence === sequence);
  return question?.answer === null ? linkOf(app, question, url) : null;
}

function expiryOf({ askedAt, spec }: QuestionView): number {
  return Math.min(askedAt + LIFETIME_MS, spec.expires_at_ms ?? Number.POSITIVE_INFINITY);
}

/** @throws SignalboxError `link_invalid`, `link_used`, `link_expired` */
export async function readLinked(app: AppContext, link: string): Promise<LinkedQuestion> {
  return shownOf(questionJson(await linked(app, link)));
}

/**
 * Answers the question of a link.
 * @throws SignalboxError `link_invalid`, `link_used`, `link_expired`, `option_not_offered`, `answer_invalid`
 */
export async function answerByLink(
  app: AppContext,
  link: string,
  { by, ...request }: LinkAnswer,
): Promise<LinkedQuestion & { readonly answered: true }> {
  const { project, task, id: question } = await linked(app, link);
  try {
    // The holder of a link has no token: the name that it gives cannot be taken for that of one.
    const actor = userActor(by === undefined ? 'link' : `link/${by}`);
    const given = await answerAs(app, { project, task, question }, { ...request, remember: null }, actor);
    return { ...shownOf(given), answered: true };
  } catch (error) {
    if (error instanceof SignalboxError && error.code === 'question_answered') throw used();
    throw error;
  }
}

function shownOf({ project, task, agent, attempt, parked, answer, ...shown }: QuestionJson): LinkedQuestion {
  return shown;
}

async function linked(app: AppContext, link: string): Promise<QuestionView> {
  const found = await find(app, link);
  if (!found) throw new SignalboxError('link_invalid', 'this link is not valid: copy the whole link');
  if (found.answer !== null) throw used();
  if (expiryOf(found) <= app.environment.clock.now()) {
    throw new SignalboxError(
      'link_expired',
      'this link has expired: answer with "signalbox question answer"',
    );
  }
  return found;
}

function used(): SignalboxError {
  return new SignalboxError(
    'link_used',
    'the question was already answered: this link can no longer be used',
  );
}

async function find(app: AppContext, link: string): Promise<QuestionView | undefined> {
  const [project = '', task = '', question = '', secret = '', ...more] = link.split('.');
  if (more.length > 0 || ![project, task, question].every((id) => ID_PATTERN.test(id))) return undefined;
  const ref: QuestionRef = { project, task, question };
  const asked = await findQuestions(app, ref).catch((error: unknown) => {
    if (error instanceof SignalboxError && error.code === 'task_not_found') return [];
    throw error;
  });
  const found = asked.find(({ id }) => id === question);
  const expected = found?.spec.link_sha256;
  if (expected === undefined) return undefined;
  return timingSafeEqual(Buffer.from(sha256(secret)), Buffer.from(expected)) ? found : undefined;
}
