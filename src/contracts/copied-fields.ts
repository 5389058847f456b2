/** What a copy of a task asks for. It needs no schema, so that the dashboard can load it. */
import { COPIED_FIELDS } from './task-fields.ts';

/** The fields of a request for a task that is like this one, an answer; not those that were about that one alone. */
export function copiedFieldsOf(task: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(task).flatMap(([name, value]: [string, unknown]): [string, unknown][] => {
      if (name === 'outputs_required') return [['outputs', value === true ? 'required' : 'optional']];
      if (name === 'follow_ups') {
        return Array.isArray(value) && value.length > 0 ? [[name, value.map(copiedFieldsOf)]] : [];
      }
      if (name === 'delay_seconds') return value === null ? [] : [[name, value]];
      return COPIED_FIELDS.includes(name) && !isNone(value) ? [[name, value]] : [];
    }),
  );
}

/** What answers have for a field that was not given. */
function isNone(value: unknown): boolean {
  return value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
}
