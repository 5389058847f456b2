/**
 * Tells code from comments and from the content of strings, so that a check never takes one for the other.
 * Both results are as long as the text, with line breaks kept and everything else blanked: an index, and so a line
 * number, means the same in all three.
 * @typedef {{ code: string, comments: string }} SplitSource
 */

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
// A quote that is never closed ends with its line: JSX text may hold an apostrophe.
const STRING = /'(?:\\[\s\S]|[^'\\\n])*'?|"(?:\\[\s\S]|[^"\\\n])*"?/y;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;
const TEMPLATE_TEXT = /(?:\\[\s\S]|\$(?!\{)|[^\\`$])*/y;
const PLAIN = /[^'"`/{}]+/y;
/** After these a slash begins a regular expression; after anything else it divides (or closes a JSX tag). */
const BEFORE_REGEX =
  /(?:^|[([{;,=:?!&|+\-*%~^>]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|yield|await))\s*$/;

/** @param {string} text JavaScript or TypeScript @returns {SplitSource} */
export function splitScript(text) {
  const out = collector();
  /** For each template literal that we are inside of: how many braces are open in its `${}`. @type {number[]} */
  const templates = [];
  let at = 0;
  const take = (/** @type {RegExp} */ pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  };
  /** From after the opening backtick, or after the brace that closes a `${}`. */
  const templateText = () => {
    out.blank(take(TEMPLATE_TEXT));
    const end = text.startsWith('${', at) ? '${' : text.slice(at, at + 1);
    at += end.length;
    out.blank(end, end === '${' ? '{' : '"');
    if (end !== '${') templates.pop();
  };

  if (text.startsWith('#!')) out.comment(take(/[^\n]*/y));
  while (at < text.length) {
    out.code(take(PLAIN));
    const char = text[at];
    const open = templates.length - 1;
    if (char === "'" || char === '"') {
      const string = take(STRING);
      out.code(char);
      out.blank(string.slice(1, -1));
      out.code(string.length > 1 ? string.slice(-1).replace(/[^'"\n]/, ' ') : '');
    } else if (char === '`') {
      at += 1;
      out.blank(char);
      templates.push(0);
      templateText();
    } else if (char === '}' && templates[open] === 0) {
      at += 1;
      out.blank(char);
      templateText();
    } else if (char === '/') {
      const comment = take(COMMENT);
      const regex = comment === '' && BEFORE_REGEX.test(out.tail()) ? take(REGEX) : '';
      out.comment(comment);
      out.blank(regex);
      if (comment === '' && regex === '') {
        at += 1;
        out.code(char);
      }
    } else if (char !== undefined) {
      at += 1;
      if (open >= 0) templates[open] += char === '{' ? 1 : -1;
      out.code(char);
    }
  }
  return out.result();
}

const SHELL_TOKEN =
  /\\[\s\S]|'[^']*(?:'|$)|"(?:\\[\s\S]|[^"\\])*(?:"|$)|<<-?\s*\\?["']?(?<heredoc>\w+)["']?|(?<comment>(?<![^\s;&|(])#[^\n]*)|[^\\'"<#]+|[\s\S]/gy;

/** @param {string} text a POSIX shell or bash script @returns {SplitSource} */
export function splitShell(text) {
  const out = collector();
  SHELL_TOKEN.lastIndex = 0;
  for (let match = SHELL_TOKEN.exec(text); match; match = SHELL_TOKEN.exec(text)) {
    const [token] = match;
    const { comment, heredoc: end } = match.groups ?? {};
    if (comment !== undefined) out.comment(token);
    else if (/^['"\\]/.test(token)) out.blank(token);
    else out.code(token);
    if (end === undefined || text[match.index - 1] === '<') continue;
    const heredoc = new RegExp(`[^\\n]*\\n(?:[\\s\\S]*?\\n)??\\t*${end}(?=\\n|$)`, 'y');
    heredoc.lastIndex = SHELL_TOKEN.lastIndex;
    const body = heredoc.exec(text)?.[0];
    if (body === undefined) continue;
    out.blank(body);
    SHELL_TOKEN.lastIndex += body.length;
  }
  return out.result();
}

function collector() {
  /** @type {string[]} */
  const code = [];
  /** @type {string[]} */
  const comments = [];
  let tail = '';
  const blanked = (/** @type {string} */ text) => text.replace(/[^\n]/g, ' ');
  return {
    /** @param {string} text */
    code(text) {
      code.push(text);
      comments.push(blanked(text));
      tail = (tail + text).replace(/\s+$/, ' ').slice(-20);
    },
    /** @param {string} text */
    comment(text) {
      code.push(blanked(text));
      comments.push(text);
    },
    /** @param {string} text @param {string} [standIn] what it counts as for the code that follows */
    blank(text, standIn = '"') {
      code.push(blanked(text));
      comments.push(blanked(text));
      if (text !== '') tail = standIn;
    },
    /** The last code before here, comments left out. */
    tail: () => tail,
    result: () => ({ code: code.join(''), comments: comments.join('') }),
  };
}
