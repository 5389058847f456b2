/** ETags: whether what a client has is still what there is, without sending it again. */
import type { TaskView } from '../../projections/index.ts';

/**
 * Weak: another version of Signalbox may write the same task otherwise.
 * @param children what the answer says of them changes with them
 */
export function taskTag(task: TaskView, children: readonly TaskView[]): string {
  const newest = children.reduce((last, child) => Math.max(last, child.lastSequence), task.lastSequence);
  return `W/"${newest}"`;
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
