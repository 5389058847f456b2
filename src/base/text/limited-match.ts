/**
 * An operator's regular expression on texts of an agent, with a limit of time: for some expressions the time grows
 * exponentially with the text, and the event loop would stand still meanwhile.
 */
import { createContext, Script } from 'node:vm';
import { hasCode } from '../errors.ts';

/** A usual expression takes microseconds for a line. */
export const MATCH_LIMIT_MS = 50;

/** Only code that runs through node:vm has a limit. V8 looks at it also within a regular expression. */
const script = new Script('search()');
const sandbox: { search: () => void } = Object.assign(Object.create(null), { search: () => {} });
const context = createContext(sandbox);

/** @returns the last of the lines that matches, null if none does, `timeout` if all together take too long */
export function lastMatch(
  pattern: RegExp,
  lines: readonly string[],
): { readonly line: string } | null | 'timeout' {
  let found: string | undefined;
  sandbox.search = () => {
    found = lines.findLast((line) => pattern.test(line));
  };
  try {
    script.runInContext(context, { timeout: MATCH_LIMIT_MS });
  } catch (error) {
    if (hasCode(error, 'ERR_SCRIPT_EXECUTION_TIMEOUT')) return 'timeout';
    throw error;
  }
  return found === undefined ? null : { line: found };
}
