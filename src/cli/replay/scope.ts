/** What a replay shows, and the moment as text. */
import { timeOf } from '../../app/tasks/task-json.ts';
import { checkedProject, checkedTask } from '../../contracts/ids.ts';
import type { Place } from '../../engine/replay/replay.ts';
import type { SourceOptions } from '../options.ts';
import { ageText } from '../text/time.ts';

const DEFAULT_PROJECT = 'default';

export interface ReplayOptions extends SourceOptions {
  readonly to?: string;
  readonly project?: string;
  readonly task?: string;
  readonly diff?: readonly string[];
  readonly events?: true;
  readonly full?: true;
  readonly limit?: number;
}

/** Undefined: everything. */
export interface Scope {
  readonly project: string | undefined;
  readonly task: string | undefined;
}

/** @throws SignalboxError `invalid_id` */
export function scopeOf({ project, task }: ReplayOptions): Scope {
  if (task === undefined)
    return { project: project === undefined ? undefined : checkedProject(project), task };
  return checkedTask({ project: project ?? (process.env.SIGNALBOX_PROJECT || DEFAULT_PROJECT), task });
}

export function placeJson({ sequence, time }: Place): { sequence: number; time: string | null } {
  return { sequence, time: sequence === 0 ? null : timeOf(time) };
}

/** As in `as of event 12, 2025-01-31T14:03:00.000Z (5m ago)`. */
export function placeText({ sequence, time }: Place, now: number): string {
  if (sequence === 0) return 'the log is empty';
  const text = timeOf(time);
  return `as of event ${sequence}, ${text} (${ageText(text, now)} ago)`;
}
