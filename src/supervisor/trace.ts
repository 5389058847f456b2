/** Trace context (W3C) of attempts. It follows from what is in the log, so that a restart names an attempt the same. */
import type { TaskView } from '../../projections/index.ts';
import { sha256 } from '../journal/hash.ts';

/** @param attempt its address, unique within the tree of `root` */
export function traceparentOf(root: TaskView, attempt: string): string {
  const trace = sha256(`trace ${root.project}/${root.id} ${root.createdAt}`).slice(0, 32);
  const span = sha256(`span ${attempt} ${trace}`).slice(0, 16);
  return `00-${trace}-${span}-01`;
}
