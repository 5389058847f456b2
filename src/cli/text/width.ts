/** Columns that a text takes on a terminal: two for Chinese, Japanese, Korean and emoji, none for combining characters. */

import { graphemesOf } from '../../base/text/cut-text.ts';

const ASCII = /^[\x20-\x7e]*$/;
/** East Asian Wide and Fullwidth (Unicode Annex 11), in blocks. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;
/** An emoji, or a character that a variation selector (VS16) makes one. */
const EMOJI = /^\p{Emoji_Presentation}|^\p{Emoji}.*\ufe0f/su;
const INVISIBLE = /^[\p{M}\p{Cf}\p{Cc}]+$/u;

export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemesOf(text)) width += widthOfGrapheme(grapheme);
  return width;
}

function widthOfGrapheme(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return WIDE.test(grapheme) || EMOJI.test(grapheme) ? 2 : 1;
}

/** The text in at most `width` columns, ending with an ellipsis if it is shortened. */
export function shorten(text: string, width: number): string {
  let used = 0;
  let kept = '';
  for (const grapheme of graphemesOf(text)) {
    used += widthOfGrapheme(grapheme);
    if (used > width) return width < 1 ? '' : `${kept}…`;
    if (used < width) kept += grapheme;
  }
  return text;
}

/** The text padded with spaces to `width` columns. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'left' ? text + spaces : spaces + text;
}
