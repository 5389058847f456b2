/** Divides texts between characters as a reader sees them: never inside a surrogate pair, an emoji or a letter with its accents. */

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** UTF-16 units of a character that are looked at on each side of a cut; a longer one is cut between code points. */
const WINDOW = 64;
/** UTF-16 units that are divided at once: the segmenter of Node.js 20 takes a time that grows with the square of them. */
const PIECE = 512;

/**
 * At most `maxLength` UTF-16 units of the beginning of a text.
 * @param mark ends a text that was cut, and counts
 */
export function cutText(text: string, maxLength: number, mark = ''): string {
  if (text.length <= maxLength) return text;
  return text.slice(0, boundaryBefore(text, Math.max(maxLength - mark.length, 0))) + mark;
}

/** At most `maxLength` UTF-16 units of the end of a text. */
export function lastText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const from = text.length - maxLength;
  const before = boundaryBefore(text, from);
  return text.slice(before === from ? from : boundaryAfter(text, from));
}

/** The last place at or before `at` where a character begins. */
/** The characters of a text as a reader sees them, in a time that grows with its length. */
export function* graphemesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    // With what follows, so that the end of a piece falls between characters.
    const piece = cutText(text.slice(from, from + PIECE + WINDOW), PIECE);
    for (const { segment } of graphemes.segment(piece)) yield segment;
    from += piece.length;
  }
}

function boundaryBefore(text: string, at: number): number {
  const start = between(text, Math.max(at - WINDOW, 0));
  const found = graphemes.segment(text.slice(start, at + WINDOW)).containing(at - start);
  const boundary = found === undefined ? at : start + found.index;
  // Only a hostile text has such a long character: it may be cut, but not within a pair.
  return boundary === start && start > 0 ? between(text, at) : boundary;
}

function boundaryAfter(text: string, at: number): number {
  const start = between(text, Math.max(at - WINDOW, 0));
  const found = graphemes.segment(text.slice(start, at + WINDOW)).containing(at - start);
  return found === undefined ? at : Math.min(start + found.index + found.segment.length, text.length);
}

/** The place itself, or the one before if it is inside a surrogate pair. */
function between(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff && isHigh(text.charCodeAt(at - 1)) ? at - 1 : at;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
