/** The line of a program's messages that says best what went wrong. */
import { stripVTControlCharacters } from 'node:util';
import { cutText } from './cut-text.ts';

const MAX_LENGTH = 300;
/** As in `ModuleNotFoundError: …`, `error: …`, `fatal: …`, `panic: …`, `bash: line 1: foo: command not found`. */
const LOOKS_LIKE_ERROR =
  /^(?:\W*(?:(?:\w[\w.]*?)?(?:Error|Exception|Failure)\b|(?:\w+ ){0,2}?(?:error|fatal|panic|failed|abort(?:ed)?)\b)|.{0,200}(?:not found|no such file|permission denied|cannot |unable to )).*\S/i;

/**
 * @param text the end of what it printed
 * @returns the last line that looks like an error, else the last one; undefined if there is none
 */
export function errorLine(text: string): string | undefined {
  const lines = stripVTControlCharacters(text)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const line = lines.findLast((each) => LOOKS_LIKE_ERROR.test(each.slice(0, MAX_LENGTH))) ?? lines.at(-1);
  if (line === undefined) return undefined;
  return cutText(line, MAX_LENGTH, '…');
}
