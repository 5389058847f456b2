/**
 * Text from agents for a terminal or a page: characters that move the cursor, change colours or reverse the direction of
 * text are replaced by visible ones.
 */
import { cutText } from './cut-text.ts';

/** Control characters except tab and newline, and marks and overrides of the text direction. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const CONTROL_PICTURES = 0x2400;
const DELETE = '\u007f';
const PICTURE_OF_DELETE = '\u2421';
const NO_PICTURE = '\ufffd';

/** The text with its line breaks, and a visible character for each one that a terminal would interpret. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSAFE, (character) => {
    if (character === DELETE) return PICTURE_OF_DELETE;
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(CONTROL_PICTURES + code) : NO_PICTURE;
  });
}

/** The first line that is not empty, cut to `maxLength` characters. */
export function firstLine(text: string, maxLength: number): string {
  const [line = ''] = text.trim().split('\n', 1);
  return cutText(line, maxLength, '…');
}

/** The same as `printable`, on one line. */
export function oneLine(text: string): string {
  return printable(text.trim().replaceAll(/\s+/g, ' '));
}
