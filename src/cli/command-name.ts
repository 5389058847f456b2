/**
 * The command that the words of a line name; null where they name none. What the program itself takes before a command
 * are switches: none of them has a value.
 */
export function commandName(words: readonly string[]): string | null {
  return words.find((word) => !word.startsWith('-')) ?? null;
}
