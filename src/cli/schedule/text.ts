/** Schedules as text. Times are those of the schedule's zone, with their day. */
import { shortDuration } from '../../base/duration.ts';
import { oneLine } from '../../base/text/printable.ts';
import type { ScheduleAnswer } from '../../contracts/api/schedules.ts';
import type { Column } from '../text/table.ts';
import { ageText, timeText } from '../text/time.ts';

export function scheduleColumns(now: number): readonly Column<ScheduleAnswer>[] {
  return [
    { title: 'ID', text: ({ id }) => id, isName: true },
    { title: 'PROJECT', text: ({ project }) => project },
    { title: 'WHEN', text: whenText },
    { title: 'ZONE', text: ({ zone }) => zone },
    {
      title: 'STATUS',
      text: ({ status }) => status,
      style: ({ status }) => (status === 'paused' ? 'yellow' : null),
    },
    {
      title: 'NEXT',
      text: ({ next: [first], zone }) => (first === undefined ? '-' : timeText(first, zone)),
    },
    {
      title: 'LAST',
      text: ({ runs: [last] }) =>
        last === undefined ? '-' : `${last.task_status ?? 'settled'} ${ageText(last.fired_at, now)} ago`,
    },
    { title: 'TITLE', text: ({ title }) => title },
  ];
}

function whenText({ cron, every_seconds, at, zone }: ScheduleAnswer): string {
  if (cron !== null) return cron;
  return every_seconds === null ? `at ${timeText(at ?? '', zone)}` : `every ${shortDuration(every_seconds)}`;
}

const LABEL_WIDTH = 11;

export function scheduleLines(schedule: ScheduleAnswer): string[] {
  const { id, status, project, title, zone, overlap, catch_up, counts, reason, by, next, waiting, runs } =
    schedule;
  const why = reason === null ? '' : ` (${oneLine(reason)})`;
  const row = (label: string, text: string): string => `${label.padEnd(LABEL_WIDTH)}${text}`;
  const times = (label: string, all: readonly string[]): string[] =>
    all.map((time, index) => row(index === 0 ? label : '', timeText(time, zone)));
  return [
    `${id}: ${status}${by === null ? '' : ` by ${oneLine(by)}`}${why}`,
    row('when', `${whenText(schedule)} (${zone})`),
    row('task', `${oneLine(title)}, for ${schedule.agent ?? `any ${schedule.type}`}, in project ${project}`),
    row('overlap', overlap),
    row('catch-up', `${catch_up}, of the last ${shortDuration(schedule.catch_up_window_seconds)}`),
    ...(schedule.jitter_seconds > 0
      ? [row('jitter', `up to ${shortDuration(schedule.jitter_seconds)}`)]
      : []),
    ...(schedule.pause_on_failure ? [row('failure', 'pauses it')] : []),
    row('so far', `${counts.fired} fired, ${counts.skipped} skipped, ${counts.missed} missed`),
    ...times('next', next),
    ...times('waiting', waiting),
    ...runs.map(({ nominal_time, cause, task, task_status }, index) =>
      row(
        index === 0 ? 'runs' : '',
        `${timeText(nominal_time, zone).padEnd(19)}  ${cause.padEnd(9)}${task}  ${task_status ?? 'settled'}`,
      ),
    ),
  ];
}
