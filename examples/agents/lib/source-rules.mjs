/** What the code review looks for in one source file. Each rule would rather miss a case than report a wrong one. */
import { lineCounter } from './blocks.mjs';
import { counted } from './markdown.mjs';

/**
 * @typedef {import('./source-files.mjs').SourceFile} SourceFile
 * @typedef {{ rule: string, severity: 'high' | 'medium' | 'low', file: string, line: number, message: string,
 *   weight: number }} Finding `weight` orders the findings of one rule, the worst first
 * @typedef {{ maxFunctionLines: number, maxFileLines: number, maxDepth: number }} Limits
 */

/** A test suite is as long as its tests. */
const SUITE = /^callback of (?:describe|suite|context)$/;

/** @param {SourceFile} file @param {Limits} limits @returns {Finding[]} */
export function reviewFile(file, limits) {
  const common = [...conflictMarkers(file), ...leftTodos(file), ...largeFile(file, limits)];
  if (file.language === 'shell') return [...common, ...unguardedScript(file)];
  const tests = file.isTest
    ? focusedTests(file)
    : [...longFunctions(file, limits), ...deepNesting(file, limits)];
  return [...common, ...tests, ...swallowedErrors(file), ...debuggers(file), ...consoleInLibrary(file)];
}

/** @param {SourceFile} file */
function conflictMarkers(file) {
  return eachMatch(file.code, /^(?:<{7}|>{7}) \S/gm).map(({ line }) =>
    finding('conflict-marker', 'high', file, line, 'a merge conflict was left in the file'),
  );
}

/** @param {SourceFile} file */
function leftTodos(file) {
  const marker = /(?:^|[/*#])[ \t/*#]*(TODO|FIXME|XXX|HACK)\b[:(]?|\b(TODO|FIXME|XXX|HACK)[:(]/gm;
  return eachMatch(file.comments, marker).map(({ line, match }) => {
    const word = match[1] ?? match[2];
    const rest = file.comments.slice(match.index + match[0].indexOf(word)).split('\n', 1)[0];
    const text = rest.replace(/\*\/.*$/, '').trim();
    return finding('todo', word === 'FIXME' ? 'medium' : 'low', file, line, shortened(text, 100));
  });
}

/** @param {SourceFile} file @param {Limits} limits */
function largeFile(file, { maxFileLines }) {
  if (file.isTest || file.lines <= maxFileLines) return [];
  const message = `${file.lines} lines in one file (limit ${maxFileLines})`;
  return [finding('large-file', 'low', file, 1, message, file.lines)];
}

/** @param {SourceFile} file */
function unguardedScript(file) {
  const setsExit =
    /^[ \t]*set\s+-\w*e|^[ \t]*set\s.*-o\s+errexit/m.test(file.code) || /^#!.*\s-\w*e/.test(file.text);
  const commands = file.code.split('\n').filter((line) => line.trim() !== '').length;
  if (setsExit || !file.text.startsWith('#!') || commands < 3) return [];
  return [finding('no-errexit', 'low', file, 1, 'the script continues after a failed command (no `set -e`)')];
}

/** @param {SourceFile} file */
function focusedTests(file) {
  const only = /(?<![\w$.])(?:it|test|describe|suite|context)\.only(?=\s*\(|\.each\b)/g;
  return eachMatch(file.code, only).map(({ line, match }) =>
    finding(
      'focused-test',
      'high',
      file,
      line,
      `\`${match[0]}\` keeps the other tests of the file from running`,
    ),
  );
}

/** A function that is long only by another long one within it is not reported. @param {SourceFile} file @param {Limits} limits */
function longFunctions(file, { maxFunctionLines }) {
  /** @type {{ start: number, end: number, name: string, own: number }[]} */
  const long = [];
  // The inner functions come first, as they end first.
  for (const { kind, name, start, end } of file.blocks) {
    const nested = long.filter((other) => within(other, { start, end }));
    const own = nested.reduce((lines, other) => lines - other.own, end - start + 1);
    if (kind === 'function' && own > maxFunctionLines && !SUITE.test(name))
      long.push({ start, end, name, own });
  }
  return long.map(({ start, end, name }) => {
    const lines = end - start + 1;
    const message = `\`${name}\` is ${lines} lines long (limit ${maxFunctionLines})`;
    return finding('long-function', 'medium', file, start, message, lines);
  });
}

/** @param {SourceFile} file @param {Limits} limits */
function deepNesting(file, { maxDepth }) {
  const deep = file.blocks.filter(({ kind, depth }) => kind === 'control' && depth > maxDepth);
  // Only the innermost block of a nest is reported.
  const innermost = deep.filter(
    (block) => !deep.some((other) => other.depth > block.depth && within(other, block)),
  );
  return innermost.map(({ start, depth }) => {
    const message = `control flow is nested ${depth} levels deep here (limit ${maxDepth})`;
    return finding('deep-nesting', 'medium', file, start, message, depth);
  });
}

/** An empty catch is fine if a comment, in it or on the line above, says why. @param {SourceFile} file */
function swallowedErrors(file) {
  const empty =
    /(?<![\w$.])catch\s*(?:\(\s*[\w$]+(?:\s*:\s*\w+)?\s*\)\s*)?\{\s*\}|\.catch\(\s*(?:\([\w$\s]*\)|[\w$]+)\s*=>\s*\{\s*\}\s*\)/g;
  return eachMatch(file.code, empty).flatMap(({ line, match }) => {
    const around = linesAround(file.comments, match.index, match.index + match[0].length);
    const severity = file.isTest ? 'low' : 'medium';
    const message = 'errors are ignored here without a comment';
    return around.trim() === '' ? [finding('empty-catch', severity, file, line, message)] : [];
  });
}

/** @param {SourceFile} file */
function debuggers(file) {
  return eachMatch(file.code, /^[ \t]*debugger[ \t]*;?[ \t]*$/gm).map(({ line }) =>
    finding('debugger', 'medium', file, line, '`debugger` stops every run under an inspector'),
  );
}

/** One finding a file: the first call, with the others' lines. @param {SourceFile} file */
function consoleInLibrary(file) {
  if (!file.isLibrary || /console|logg(?:er|ing)/i.test(file.path)) return [];
  const calls = eachMatch(file.code, /(?<![\w$.])console\.(?:log|debug|info|dir|trace)\s*\(/g);
  if (calls.length === 0) return [];
  const others = calls.slice(1, 9).map(({ line }) => line);
  const also = others.length > 0 ? `, also on line ${others.join(', ')}${calls.length > 9 ? ', …' : ''}` : '';
  const message = `library code prints to the console (${counted(calls.length, 'call')}${also})`;
  return [finding('console', 'medium', file, calls[0].line, message, calls.length)];
}

/**
 * @param {string} rule @param {Finding['severity']} severity @param {{ path: string }} file @param {number} line
 * @param {string} message @param {number} [weight]
 * @returns {Finding}
 */
export function finding(rule, severity, file, line, message, weight = 0) {
  return { rule, severity, file: file.path, line, message, weight };
}

/** @param {string} text @param {number} length */
export function shortened(text, length) {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** @param {string} text @param {RegExp} pattern with the flag g */
function eachMatch(text, pattern) {
  const lineAt = lineCounter(text);
  return Array.from(text.matchAll(pattern), (match) => {
    const lead = match[0].length - match[0].trimStart().length;
    return { match, line: lineAt(match.index + lead) };
  });
}

/** From the line before `start` to the end of the line of `end`. @param {string} text @param {number} start @param {number} end */
function linesAround(text, start, end) {
  const lineStart = text.lastIndexOf('\n', start);
  const lineEnd = text.indexOf('\n', end);
  return text.slice(
    lineStart < 1 ? 0 : text.lastIndexOf('\n', lineStart - 1) + 1,
    lineEnd < 0 ? text.length : lineEnd,
  );
}

/** @param {{ start: number, end: number }} inner @param {{ start: number, end: number }} outer */
function within(inner, outer) {
  return inner.start >= outer.start && inner.end <= outer.end;
}
