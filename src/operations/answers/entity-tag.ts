/** ETags: whether what a client has is still what there is, without sending it again. */
import type { IncomingHttpHeaders } from 'node:http';
import type { TaskView } from '../../../projections/index.ts';
import type { Needs } from '../../app/context.ts';
import type { Answer } from '../operation.ts';

/**
 * Weak: another version of Signalbox may write the same task otherwise.
 * @param children what the answer says of them changes with them
 */
export function taskTag(task: TaskView, children: readonly TaskView[]): string {
  const newest = children.reduce((last, child) => Math.max(last, child.lastSequence), task.lastSequence);
  return `W/"${newest}"`;
}

/** Of what follows from the log alone: it changes with every event, also one that is about something else. */
export function logTag({ state }: Needs<'state.projections'>): string {
  return `W/"${state.projections.sequence}"`;
}

/** 200 with what `read` makes, or 304 where the client has it already. */
export async function tagged(
  etag: string,
  headers: IncomingHttpHeaders,
  read: () => unknown,
): Promise<Answer> {
  const tag = { etag, 'cache-control': 'private, no-cache' };
  if (isCurrent(etag, headers['if-none-match'])) return { status: 304, headers: tag };
  return { status: 200, headers: tag, body: await read() };
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
