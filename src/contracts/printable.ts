/**
 * Text from agents, on its way to a terminal or a page.
 *
 * X1 Nothing that an agent wrote moves the cursor, changes colours or reverses the direction of what follows: such
 *    characters are shown, not sent.
 */

/** Controls but tab and newline; marks and overrides of the direction of text. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be found.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const CONTROL_PICTURES = 0x2400;
const DELETE = '\u007f';
const PICTURE_OF_DELETE = '\u2421';
const NO_PICTURE = '\ufffd';

/** The text with its line breaks, and a visible sign for every character that a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSAFE, (character) => {
    if (character === DELETE) return PICTURE_OF_DELETE;
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(CONTROL_PICTURES + code) : NO_PICTURE;
  });
}

/** The same in one line. */
export function oneLine(text: string): string {
  return printable(text.trim().replaceAll(/\s+/g, ' '));
}
