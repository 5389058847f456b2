/** What makes a question askable, and an answer acceptable. */
import { SignalboxError } from '../../../contracts/errors.ts';
import {
  type AnswerContent,
  type AnswerSpec,
  type Form,
  isRejecting,
  MAX_ANSWER_BYTES,
  MAX_QUESTION_BYTES,
  PERMISSION_OPTIONS,
  type QuestionOption,
  type QuestionSpec,
} from '../../../contracts/questions.ts';
import { faultOfContent, faultOfForm } from './form.ts';

/** The answer of a person or an agent. */
export interface GivenAnswer {
  readonly action: 'accepted' | 'declined';
  readonly option?: string | undefined;
  readonly content?: AnswerContent | undefined;
  readonly comment?: string | undefined;
}

const MAX_OPTIONS = 50;

/**
 * The question with what it may leave out. Its options, its form and its default fit together.
 * @throws SignalboxError `question_too_large`, `invalid_request`
 */
export function checkedQuestion(given: QuestionSpec): QuestionSpec {
  const spec = given.kind === 'permission' ? { ...given, options: permissionOptions(given.options) } : given;
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  if (bytes > MAX_QUESTION_BYTES) {
    throw new SignalboxError(
      'question_too_large',
      `the question has ${bytes} bytes, the limit is ${MAX_QUESTION_BYTES}: add large content as an output, and name it`,
      { details: { bytes, limit: MAX_QUESTION_BYTES } },
    );
  }
  const fault = faultIn(spec);
  if (fault !== null) throw new SignalboxError('invalid_request', fault);
  return spec;
}

/** A person has to see what an option does, not what the agent says of it. */
function permissionOptions(options: readonly QuestionOption[] = PERMISSION_OPTIONS): QuestionOption[] {
  return options.map((option) => {
    const usual = PERMISSION_OPTIONS.find(({ kind }) => kind === option.kind);
    return { ...option, label: usual?.label ?? option.label };
  });
}

const ALLOWING_WORD = /(?:^|[^a-z])(?:allow|accept|approve|yes|ok|grant|permit)/i;
const REJECTING_WORD = /(?:^|[^a-z])(?:reject|deny|decline|refuse|no|never|forbid|cancel)(?:$|[^a-z])/i;

/** People answer by id on the command line and over HTTP. */
function saysTheOpposite(option: QuestionOption): boolean {
  const [allows, rejects] = [ALLOWING_WORD.test(option.id), REJECTING_WORD.test(option.id)];
  return isRejecting(option) ? allows && !rejects : rejects && !allows;
}

function faultIn(spec: QuestionSpec): string | null {
  const { kind, options = [], schema, url } = spec;
  if ((kind === 'choice' || kind === 'permission') && options.length === 0)
    return `options: a question of kind ${kind} needs at least one`;
  if (options.length > MAX_OPTIONS) return `options: at most ${MAX_OPTIONS}`;
  if (kind === 'permission' && options.some((option) => option.kind === undefined))
    return 'options: each option of a permission needs a kind, such as allow_once or reject_once';
  const twisted = kind === 'permission' ? options.find(saysTheOpposite) : undefined;
  if (twisted)
    return `options: the id ${JSON.stringify(twisted.id)} says the opposite of its kind ${twisted.kind}: choose another id`;
  const ids = options.map(({ id }) => id);
  if (new Set(ids).size < ids.length) return 'options: each needs an id of its own';
  if (kind === 'form' && schema === undefined) return 'schema: a question of kind form needs one';
  const unanswerable = schema && faultOfForm(schema);
  if (unanswerable) return unanswerable;
  if ((kind === 'link' || url !== undefined) && !isWebAddress(url ?? ''))
    return 'url: expected an address that begins with http:// or https://, without a user name';
  if (spec.default === undefined) return null;
  const applied = options.find(({ id }) => id === spec.default?.option);
  if (kind === 'permission' && !(applied && isRejecting(applied)))
    return 'default: a permission that expires is not given: name an option that rejects, or leave the default out';
  try {
    checkedAnswer({ ...spec }, { action: 'accepted', ...spec.default });
    return null;
  } catch (error) {
    return `default: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Names before the host, as in `https://bank.example@evil.example`, would be taken for it. */
function isWebAddress(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

/** @throws SignalboxError `invalid_request` */
export function assertNotExpired({ expires_at_ms }: QuestionSpec, now: number): void {
  if (expires_at_ms === undefined || expires_at_ms > now) return;
  const given = new Date(expires_at_ms).toISOString();
  throw new SignalboxError('invalid_request', `expires_at: ${given} is in the past: give a later time`);
}

/**
 * The answer as it is stored.
 * @throws SignalboxError `option_not_offered`, `answer_invalid`, `answer_too_large`
 */
export function checkedAnswer(spec: QuestionSpec, given: GivenAnswer): AnswerSpec {
  const bytes = Buffer.byteLength(JSON.stringify(given));
  if (bytes > MAX_ANSWER_BYTES) {
    throw new SignalboxError(
      'answer_too_large',
      `the answer has ${bytes} bytes, the limit is ${MAX_ANSWER_BYTES}: shorten it`,
      { details: { bytes, limit: MAX_ANSWER_BYTES } },
    );
  }
  const { comment } = given;
  const chosen = given.option === undefined ? undefined : optionOf(spec, given.option);
  if (given.action === 'declined') assertOnlyDeclined(given, chosen);
  if (given.action === 'declined' || (chosen && isRejecting(chosen)))
    return { action: 'declined', option: chosen?.id, comment };
  const content = contentFor(spec, given, chosen);
  return { action: 'accepted', option: chosen?.id, content, comment };
}

/** An agent that looks only at the option would take a declined "yes" for an answer. */
function assertOnlyDeclined({ content }: GivenAnswer, chosen: QuestionOption | undefined): void {
  if (chosen && !isRejecting(chosen))
    throw invalid(`declined, and the option ${JSON.stringify(chosen.id)}: leave out one of them`);
  if (content !== undefined) throw invalid('declined, and content: leave out one of them');
}

function optionOf({ options = [] }: QuestionSpec, id: string): QuestionOption {
  const found = options.find((option) => option.id === id);
  if (found) return found;
  const offered = options.map((option) => option.id);
  throw new SignalboxError(
    'option_not_offered',
    `option ${JSON.stringify(id.slice(0, 100))} is not offered: ${offered.length === 0 ? 'the question has no options' : `choose ${offered.join(', ')}`}`,
    { details: { offered } },
  );
}

function contentFor(
  { kind, schema }: QuestionSpec,
  { content }: GivenAnswer,
  chosen: QuestionOption | undefined,
): AnswerContent | undefined {
  switch (kind) {
    case 'permission':
    case 'choice':
      if (!chosen) throw invalid('choose one of the options');
      if (content !== undefined) throw invalid('an option has no content: use "comment" for a remark');
      return undefined;
    case 'link':
      if (content !== undefined) throw invalid('a link has no content: use "comment" for a remark');
      return undefined;
    case 'text':
      if (chosen) return undefined;
      if (typeof content?.text !== 'string' || Object.keys(content).length !== 1)
        throw invalid('give the text, as "content": {"text": "…"}');
      return content;
    case 'form':
      assertFits(schema, content ?? {});
      return content ?? {};
  }
}

function assertFits(schema: Form | undefined, content: AnswerContent): void {
  const fault = schema && faultOfContent(schema, content);
  if (fault) throw invalid(fault);
}

function invalid(why: string): SignalboxError {
  return new SignalboxError('answer_invalid', why);
}
