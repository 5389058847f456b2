/**
 * Finds the functions and control-flow blocks of a script by its braces, in text that `splitScript` has freed of
 * comments and strings. Not a parser: if the braces do not match, it finds nothing rather than something wrong.
 * @typedef {{ kind: 'function' | 'control' | 'type' | 'other', name: string, start: number, end: number, depth: number }} Block
 * `start` and `end` are line numbers; `depth` counts the control-flow blocks around it within its function, and itself
 */

const CONTROL_WORDS = new Set(['if', 'for', 'await', 'while', 'switch', 'catch', 'with']);
const BARE_CONTROL = /(?:^|[^\w$.])(?:else|try|do|finally|catch)$/;
/** Between a colon and a brace these show that it is no return type: `case f(x): return {`. */
const NO_TYPE =
  /\b(?:return|throw|yield|await|new|class|case|default|interface|enum|namespace|module|export|import)\b/;
/** What may follow a bracketed part of a type. */
const AFTER_TYPE = /^\s*(?:$|[|&[]|=>)/;
/** The word before a parenthesis belongs to a call or a class: `new Map(…)`, `list.map(…)`, `class A extends mixin(…)`. */
const NO_FUNCTION = /(?:\bnew\s+|\.\s*)[\w$#]+$|\bclass\b[^{};]*$/;
const TYPE = /\b(?:interface\s+[\w$]+[^{};=]*|type\s+[\w$]+[^{};=]*=[^{};]*)$/;
/** @type {{ kind: Block['kind'], name: string, length: number }} */
const NOTHING = { kind: 'other', name: '', length: 0 };
const ANONYMOUS = 'anonymous function';
const LOOK_BACK = 4_000;

/** @param {string} code @returns {Block[]} in the order in which they end */
export function findBlocks(code) {
  /** @type {(Omit<Block, 'end'>)[]} */
  const open = [];
  /** @type {Block[]} */
  const found = [];
  const lineAt = lineCounter(code);
  for (const { 0: brace, index } of code.matchAll(/[{}]/g)) {
    if (brace === '{') {
      const outer = open.at(-1);
      const before = code.slice(Math.max(0, index - LOOK_BACK), index);
      const head = outer?.kind === 'type' ? { ...NOTHING, kind: outer.kind } : describe(before);
      const around = outer?.depth ?? 0;
      const depth = head.kind === 'function' ? 0 : around + (head.kind === 'control' ? 1 : 0);
      open.push({ kind: head.kind, name: head.name, start: lineAt(index - head.length), depth });
    } else {
      const block = open.pop();
      if (!block) return [];
      found.push({ ...block, end: lineAt(index) });
    }
  }
  return open.length === 0 ? found : [];
}

/**
 * What an opening brace opens, by the text before it.
 * @param {string} text
 * @returns {{ kind: Block['kind'], name: string, length: number }} `length` back to where the block's head begins
 */
function describe(text) {
  const before = text.trimEnd();
  if (BARE_CONTROL.test(before)) return { ...NOTHING, kind: 'control' };
  if (TYPE.test(before)) return { ...NOTHING, kind: 'type' };
  const arrow = before.endsWith('=>');
  const head = withoutReturnType(arrow ? before.slice(0, -2).trimEnd() : before);
  const paren = head.endsWith(')') ? openingParen(head) : -1;
  if (arrow) {
    const parameters = paren < 0 ? head.search(/[\w$]+$/) : paren;
    const lead = parameters < 0 ? before : withoutTypeParameters(head.slice(0, parameters));
    const start = lead.length + text.slice(lead.length).search(/\S|$/);
    return { kind: 'function', name: givenName(lead), length: text.length - start };
  }
  const caller = withoutTypeParameters(head.slice(0, Math.max(paren, 0))).replace(/\s*\*$/, '');
  const word = /[\w$#]+$/.exec(caller)?.[0];
  if (word === undefined || NO_FUNCTION.test(caller)) return NOTHING;
  const length = text.length - caller.length + word.length;
  if (CONTROL_WORDS.has(word)) return { kind: 'control', name: '', length };
  return { kind: 'function', name: word === 'function' ? givenName(caller) : word, length };
}

/** Steps back over `: Type` to the parameter list that it follows, if there is one. @param {string} head */
function withoutReturnType(head) {
  if (head.endsWith(')')) return head;
  let depth = 0;
  for (let at = head.length - 1; at >= 0; at -= 1) {
    const char = head[at];
    const ofArrow = (char === '=' && head[at + 1] === '>') || (char === '>' && head[at - 1] === '=');
    if (ofArrow) continue;
    if ('>)]}'.includes(char)) {
      if (depth === 0 && !AFTER_TYPE.test(head.slice(at + 1))) return head;
      depth += 1;
    } else if ('<([{'.includes(char)) depth -= 1;
    if (depth < 0 || (depth === 0 && ';,=?'.includes(char))) return head;
    if (depth > 0 || char !== ':') continue;
    const type = head.slice(at + 1).trim();
    const parameters = head.slice(0, at).trimEnd();
    return type === '' || NO_TYPE.test(type) || !parameters.endsWith(')') ? head : parameters;
  }
  return head;
}

/** @param {string} text */
function withoutTypeParameters(text) {
  const trimmed = text.trimEnd();
  if (!trimmed.endsWith('>') || trimmed.endsWith('=>')) return trimmed;
  let depth = 0;
  for (let at = trimmed.length - 1; at >= 0; at -= 1) {
    if (trimmed[at] === '>' && trimmed[at - 1] !== '=') depth += 1;
    else if (trimmed[at] === '<') depth -= 1;
    if (depth === 0) return trimmed.slice(0, at).trimEnd();
  }
  return trimmed;
}

/** @param {string} text ends in `)` @returns {number} where its `(` is, or -1 */
function openingParen(text) {
  let depth = 0;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    if (text[at] === ')') depth += 1;
    else if (text[at] === '(') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

/** The name that an anonymous function is given by what stands before its parameters. @param {string} lead @returns {string} */
function givenName(lead) {
  const text = lead
    .replace(/\bfunction\s*$/, '')
    .replace(/\basync\s*$/, '')
    .trimEnd();
  if (text.endsWith('=>')) {
    const outer = withoutReturnType(text.slice(0, -2).trimEnd());
    const paren = outer.endsWith(')') ? openingParen(outer) : -1;
    return paren < 0 ? ANONYMOUS : givenName(withoutTypeParameters(outer.slice(0, paren)));
  }
  const assigned = /([\w$#]+)\s*(?::[^=;{}()]*)?=$/.exec(text) ?? /([\w$]+)\s*:$/.exec(text);
  if (assigned) return assigned[1];
  const called = /([\w$]+)\($/.exec(text) ?? /([\w$]+)\([^(){};]*,$/.exec(text);
  return called ? `callback of ${called[1]}` : ANONYMOUS;
}

/** Line numbers for indexes of a text, by binary search. @param {string} text @returns {(index: number) => number} */
export function lineCounter(text) {
  const starts = [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
  return (index) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= index) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
