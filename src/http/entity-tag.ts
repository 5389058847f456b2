/** ETags: whether what a client has is still what there is, without sending it again. */
import type { TaskView } from '../../projections/index.ts';

/** Weak: another version of Signalbox may write the same task otherwise. */
export function taskTag(task: TaskView): string {
  return `W/"${task.lastSequence}"`;
}

/** Whether `If-None-Match` names the tag, or any at all (`*`). */
export function isCurrent(tag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  const names = ifNoneMatch.split(',').map((name) => name.trim());
  return names.some((name) => name === '*' || opaque(name) === opaque(tag));
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, '');
}
