import { sha256 } from '../../base/hash.ts';

/** Of the `number`th follow-up of a task: the same at every try, and within the 64 characters that an id may have. */
export function followUpId(task: string, number: number): string {
  const id = `${task}-f${number}`;
  return id.length <= 64 ? id : `${task.slice(0, 40)}-${sha256(id).slice(0, 20)}`;
}
