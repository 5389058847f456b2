/** Edits of a task: what an edit changes, from which value to which. */
import { z } from 'zod';
import { canonicalJson } from '../../base/canonical-json.ts';
import {
  byRow,
  EDIT_FIELDS,
  type Fields,
  type NameIn,
  type NamesWith,
  type SchemaIn,
  type Stored,
} from '../task-fields.ts';
import { REDACTED } from './event.ts';

/** The fields of an edit, as they are requested. */
export const taskEditSchema = z.strictObject(EDIT_FIELDS).partial();
export type TaskEdit = z.output<typeof taskEditSchema>;

type Given<Schema extends z.ZodType> =
  Schema extends z.ZodOptional<infer Inner extends z.ZodType> ? z.ZodNullable<Inner> : Schema;
type Change<Schema extends z.ZodType> = z.ZodOptional<
  z.ZodObject<{ from: Given<Schema>; to: Given<Schema> }, z.core.$strict>
>;

/** By the name of the field in the log. A value that was not given is null. */
export const CHANGE_FIELDS = byRow<{
  [Name in NamesWith<'edit'> as NameIn<Name, 'stored'>]: Change<SchemaIn<Fields[Name], 'stored'>>;
}>(({ storedName, edit, stored }) => {
  if (edit === undefined || stored === undefined) return null;
  const given = stored instanceof z.ZodOptional ? z.nullable(stored.unwrap()) : stored;
  return [storedName, z.strictObject({ from: given, to: given }).optional()];
});

export const taskChangesSchema = z.strictObject(CHANGE_FIELDS);
export type TaskChanges = z.output<typeof taskChangesSchema>;

/** What an edit changes in a task: nothing of what it repeats. */
export function changesBy(edit: TaskEdit, task: Stored): TaskChanges {
  const wanted: Readonly<Record<string, unknown>> = edit;
  const values: Readonly<Record<string, unknown>> = task;
  return byRow(({ name, storedName, isTime, isMerged }) => {
    const value = wanted[name];
    if (value === undefined) return null;
    const from = values[storedName] ?? null;
    const given = isMerged ? merged(from, value) : value;
    const to = isTime && typeof given === 'string' ? Date.parse(given) : given;
    return canonicalJson(from) === canonicalJson(to) ? null : [storedName, { from, to }];
  });
}

/** The entries of both, without those that are null; null if none is left. */
function merged(before: unknown, change: unknown): unknown {
  const entries = Object.entries({ ...Object(before), ...Object(change) }).filter(
    ([, value]) => value !== null,
  );
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

/** A task after these changes. */
export function withChanges<Task extends Stored>(task: Task, changes: TaskChanges): Task {
  const values = Object.entries(changes).map(([name, change]) => [name, change?.to ?? undefined]);
  return { ...task, ...Object.fromEntries(values) };
}

/** Changes without what a person wrote; null if there is nothing of that in them. */
export function redactedChanges(changes: TaskChanges): TaskChanges | null {
  const values: Readonly<Record<string, unknown>> = changes;
  const erased = byRow<TaskChanges>(({ storedName, redacted }) => {
    if (redacted === undefined || values[storedName] === undefined) return null;
    const value = redacted === 'marked' ? REDACTED : null;
    return [storedName, { from: value, to: value }];
  });
  return Object.keys(erased).length === 0 ? null : { ...changes, ...erased };
}
