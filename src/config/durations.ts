/** Durations in a configuration: a setting whose name ends with `_seconds` may be written as `90s`, `5m` or `1h30m`. */
import { parseDuration } from '../base/duration.ts';

const NAME = /_seconds$/;
/** Their entries are names and texts of programs, whatever they look like. */
const FREE: ReadonlySet<string> = new Set(['env', 'options']);

/** The same value with such texts as numbers of seconds; a text that is no duration stays, and is reported. */
export function withSeconds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSeconds);
  if (typeof value !== 'object' || value === null) return value;
  // Handlers and the like are left as they are.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]: [string, unknown]) => {
      if (FREE.has(name)) return [name, each];
      return [
        name,
        NAME.test(name) && typeof each === 'string' ? (parseDuration(each) ?? each) : withSeconds(each),
      ];
    }),
  );
}

/** For the JSON Schema of the configuration: such a setting may be a text. */
export function allowDurations(name: string | number | undefined, schema: { type?: unknown }): void {
  if (typeof name === 'string' && NAME.test(name) && schema.type === 'number')
    schema.type = ['number', 'string'];
}
