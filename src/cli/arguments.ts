/** Option values from the command line. What they mean is checked by Signalbox; here is only their form. */
import { InvalidArgumentError } from 'commander';

export function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number.');
}

/** A number, or a word such as `high`. */
export function priorityOf(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

export function jsonObjectOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON: ${error instanceof Error ? error.message : error}.`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new InvalidArgumentError('Expected a JSON object such as {"repo": "."}.');
}

/** For an option that may be given more than once. */
export function append(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

/** For `--label name=value`, more than once. */
export function appendLabel(
  text: string,
  earlier: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) };
}

/** For an option with several words: `working,review`. */
export function wordsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
