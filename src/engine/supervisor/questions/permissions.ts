/**
 * Which permissions are given without a person: the rules of an agent's configuration, and those that answers recorded.
 *
 * Nothing is allowed by accident. The first rule of the configuration that matches decides, unless it says `ask`; then the
 * newest recorded rule does. A rule that allows has to match every text that the action depends on, any other rule only one.
 * In a rule that allows, `*` does not stand for characters by which one command becomes two.
 */
import { posix } from 'node:path';
import { canonicalJson } from '../../../base/canonical-json.ts';
import {
  isDecisive,
  type PermissionDecision,
  type PermissionPolicy,
  type PermissionRule,
  type QuestionAbout,
  type RecordedRule,
} from '../../../contracts/questions.ts';

export const ASK_ALWAYS: PermissionPolicy = { default: 'ask', rules: [] };

export interface Ruling {
  readonly decision: PermissionDecision;
  /** What decided, for a reader. */
  readonly why: string;
}

export function rulingOf(
  policy: PermissionPolicy,
  recorded: readonly RecordedRule[],
  about: QuestionAbout,
): Ruling {
  const { tool } = about;
  if (tool === undefined) return { decision: 'ask', why: 'it names no tool' };
  const given = textsOf(about);
  // A rule for any input fits also if there is none.
  const texts = given.length > 0 ? given : [''];
  const matches = (rule: Pick<PermissionRule, 'tool' | 'input' | 'decision'>): boolean =>
    matchesGlob(rule.tool, tool, 'any') &&
    (rule.input === undefined || matchesInput(rule.input, texts, rule.decision));
  const configured = policy.rules.find(matches);
  if (configured && configured.decision !== 'ask')
    return { decision: configured.decision, why: `the rule ${ruleText(configured)} of the configuration` };
  const rule = recorded.find(matches);
  if (rule) return { decision: rule.decision, why: `the recorded rule ${rule.id}` };
  if (configured) return { decision: 'ask', why: `the rule ${ruleText(configured)} of the configuration` };
  return { decision: policy.default, why: 'the default of the configuration' };
}

function ruleText({ tool, input }: Pick<PermissionRule, 'tool' | 'input'>): string {
  return input === undefined ? tool : `${tool} ${input}`;
}

function matchesInput(glob: string, texts: readonly string[], decision: PermissionDecision): boolean {
  return decision === 'allow'
    ? texts.every((text) => matchesGlob(glob, text, 'one command'))
    : texts.some((text) => matchesGlob(glob, text, 'any'));
}

/**
 * The texts that rules are compared with: of the input, which may be a text, or an object with a command, paths and
 * addresses (all of it as JSON if it has none of these), and the path that the question names. A path is also compared
 * without its `..`: a rule for `/srv/*` must not let `/srv/../etc` pass.
 */
function textsOf({ input, path }: QuestionAbout): readonly string[] {
  const texts = [...inputTexts(input), ...(path === undefined ? [] : [path])];
  return [...new Set(texts.flatMap((text) => [text, withoutDots(text)]))];
}

function inputTexts(input: unknown): readonly string[] {
  if (typeof input === 'string') return [input];
  if (input === undefined || input === null) return [];
  if (typeof input === 'object') {
    const decisive = Object.entries(input).filter(([name]) => isDecisive(name));
    if (decisive.length > 0) return decisive.flatMap(([name, value]) => fieldTexts(name, value));
  }
  return [canonicalJson(input)];
}

/** A list is a command with its arguments, or several paths: each item counts, and all of them together. */
function fieldTexts(name: string, value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((each) => typeof each === 'string'))
    return value.length === 1 ? value : [...value, value.join(' ')];
  return [`${name}=${canonicalJson(value)}`];
}

/** The same place without `.`, `..` and doubled slashes; addresses with a scheme stay as they are. */
function withoutDots(text: string): string {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : text.includes('/') ? posix.normalize(text) : text;
}

/**
 * The glob for this question and no other; undefined if it has several texts, which one glob cannot stand for, or none: a
 * rule without an input would hold for every other question of the tool.
 */
export function inputGlob(about: QuestionAbout): string | undefined {
  const [text, ...more] = textsOf(about);
  return text === undefined || more.length > 0 ? undefined : exactGlob(text);
}

/** Characters that end a command, start another one, or put its output elsewhere. */
const CHAINING = /[;&|`$()<>\n\r]/;

/** A glob: `*` is any text, `\*` a star, `\\` a backslash. It has to match the whole text. */
export function matchesGlob(glob: string, text: string, star: 'any' | 'one command'): boolean {
  const tokens = tokensOf(glob);
  if (star === 'any') return matchesTokens(tokens, text);
  // No star may stand for a chaining character: those of the text are those of the glob, in order, and what is between
  // them matches piece by piece.
  const pieces = split([...text], (char) => CHAINING.test(char));
  const parts = split(tokens, (token) => token !== STAR && CHAINING.test(token));
  return (
    pieces.marks.join('') === parts.marks.join('') &&
    pieces.between.length === parts.between.length &&
    parts.between.every((part, index) => matchesTokens(part, pieces.between[index]?.join('') ?? ''))
  );
}

const STAR = Symbol('*');
type Token = string | typeof STAR;

function tokensOf(glob: string): Token[] {
  const tokens: Token[] = [];
  for (let index = 0; index < glob.length; index++) {
    const char = glob.charAt(index);
    const next = glob.charAt(index + 1);
    if (char === '\\' && (next === '*' || next === '\\')) {
      tokens.push(next);
      index++;
    } else tokens.push(char === '*' ? STAR : char);
  }
  return tokens;
}

function split<Item>(items: readonly Item[], isMark: (item: Item) => boolean) {
  const between: Item[][] = [[]];
  const marks: string[] = [];
  for (const item of items) {
    if (isMark(item)) {
      marks.push(String(item));
      between.push([]);
    } else between.at(-1)?.push(item);
  }
  return { between, marks };
}

/** Takes time in proportion to the product of both lengths at most. */
function matchesTokens(tokens: readonly Token[], text: string): boolean {
  let at = 0;
  let token = 0;
  let star = -1;
  let retryAt = 0;
  while (at < text.length) {
    if (token < tokens.length && tokens[token] === STAR) {
      star = token++;
      retryAt = at;
    } else if (token < tokens.length && tokens[token] === text.charAt(at)) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++retryAt;
    } else return false;
  }
  while (tokens[token] === STAR) token++;
  return token === tokens.length;
}

/** The glob that matches this text and no other. */
export function exactGlob(text: string): string {
  return text.replace(/[\\*]/g, '\\$&');
}
