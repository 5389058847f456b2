/** One form for texts that look the same: "é" is one character or two, by the program that wrote it. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII.
const ASCII = /^[\x00-\x7f]*$/;

/** The text in Unicode's composed form (NFC), in which texts are compared. Most texts are ASCII, and in it already. */
export function normalForm(text: string): string {
  return ASCII.test(text) ? text : text.normalize('NFC');
}

/** The form in which texts are searched: normalized, and without case. */
export function searchForm(text: string): string {
  return normalForm(text).toLowerCase();
}
