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
  DECISIVE_FIELDS,
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
  { tool, input }: QuestionAbout,
): Ruling {
  if (tool === undefined) return { decision: 'ask', why: 'it names no tool' };
  const texts = inputTexts(input);
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
 * The texts of an input that rules are compared with: a text as it is; of an object its command, paths and address; all of
 * it as JSON if it has none of these. Paths are without `..`.
 */
function inputTexts(input: unknown): readonly string[] {
  if (typeof input === 'string') return [input];
  if (input === undefined || input === null) return [''];
  if (typeof input === 'object') {
    const fields = new Map<string, unknown>(Object.entries(input));
    const texts = DECISIVE_FIELDS.flatMap((name) => {
      const value = fields.get(name);
      if (typeof value !== 'string') return [];
      return [name.endsWith('path') ? posix.normalize(value) : value];
    });
    if (texts.length > 0) return texts;
  }
  return [canonicalJson(input)];
}

/** The glob for this input and no other; undefined for an input with several texts, which one glob cannot stand for. */
export function inputGlob(input: unknown): string | undefined {
  const [text = '', ...more] = inputTexts(input);
  return more.length === 0 ? exactGlob(text) : undefined;
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
