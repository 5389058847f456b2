/** What agents have used: sums over the attempts that have ended. */
import { z } from 'zod';
import type { Projections, UsageState } from '../../../projections/index.ts';
import { SLOT_MS, type UsageEntry, visitUsage } from '../../../projections/usage.ts';
import { FIGURES, type UsageFigures } from '../../../projections/usage-figures.ts';
import type { Environment } from '../../base/environment.ts';
import { beginOfDay, dayFinder, endOfDay } from '../../base/periods.ts';
import type { ReadUsage, UsageAnswer, UsageKey, UsageRow } from '../../contracts/api/usage/usage.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { momentOf, parseMoment } from '../../engine/replay/moment.ts';
import type { AppContext } from '../context.ts';
import { timeOf } from '../tasks/task-json.ts';
import { figuresJson } from '../tasks/usage-json.ts';
import { type UsageGroup, UsageSums } from './usage-sums.ts';

interface UsageSource extends Pick<AppContext, 'past'> {
  readonly state: { readonly projections: Pick<Projections, 'usage' | 'sequence'> };
  readonly environment: Pick<Environment, 'clock'>;
}

/** @throws SignalboxError `invalid_request`, and with `at` those of the past */
export function readUsage(
  app: UsageSource,
  request: ReadUsage,
  gone: AbortSignal,
): UsageAnswer | Promise<UsageAnswer> {
  const now = app.environment.clock.now();
  const range = rangeOf(request, now);
  const { projections } = app.state;
  if (request.at === undefined) return answerOf(projections.usage, projections.sequence, request, range);
  return app.past.at(parseMoment(request.at, now), gone, ({ usage }, { sequence }) =>
    answerOf(usage, sequence, request, range),
  );
}

interface Range {
  readonly from: number | null;
  readonly to: number | null;
}

function rangeOf({ from, to, zone }: ReadUsage, now: number): Range {
  const range = {
    from: from === undefined ? null : boundOf('from', from, (day) => beginOfDay(day, zone), now),
    to: to === undefined ? null : boundOf('to', to, (day) => endOfDay(day, zone), now),
  };
  if (range.from === null || range.to === null || range.from <= range.to) return range;
  throw new SignalboxError('invalid_request', `to: ${timeOf(range.to)} is before "from": give a later time`);
}

const daySchema = z.iso.date();

/** @param ofDay the bound for a day of the zone */
function boundOf(name: string, text: string, ofDay: (day: string) => number, now: number): number {
  const day = daySchema.safeParse(text).data;
  if (day !== undefined) return ofDay(day);
  const moment = momentOf(text, now);
  if (moment?.kind === 'time') return Math.floor(moment.time / SLOT_MS) * SLOT_MS;
  throw new SignalboxError(
    'invalid_request',
    `${name}: ${JSON.stringify(text)} is not a day: give a day (2026-11-30), a time with its zone (2026-11-30T12:00:00Z), or how long ago ("7d ago")`,
  );
}

function answerOf(state: UsageState, sequence: number, request: ReadUsage, range: Range): UsageAnswer {
  const { by, zone, limit } = request;
  const sums = sumsOf(state, request, range);
  const shown = sums.first(limit, by.includes('day'));
  const rest = { ...sums.total };
  const rows = shown.map((group) => {
    const figures = sums.figuresOf(group);
    for (const figure of FIGURES) rest[figure] -= figures[figure];
    return rowJson(by, group, figures);
  });
  const left = sums.groups.length - shown.length;
  return {
    sequence,
    by,
    zone,
    from: timeOf(range.from),
    to: timeOf(range.to),
    total: figuresJson(sums.total),
    rows,
    rest: left === 0 ? null : { rows: left, ...figuresJson(rest) },
  };
}

function sumsOf(state: UsageState, request: ReadUsage, { from, to }: Range): UsageSums {
  const { by, zone } = request;
  const sums = new UsageSums();
  const dayOf = dayFinder(zone);
  const isByDay = by.includes('day');
  const keys = by.flatMap((key) => (key === 'task' ? (['project', 'task'] as const) : [key]));
  visitUsage(state, from ?? Number.NEGATIVE_INFINITY, to ?? Number.POSITIVE_INFINITY, (entry) => {
    if (!isWanted(entry, request)) return;
    const day = isByDay ? dayOf(entry.time) : '';
    sums.add(
      entry,
      day,
      keys.map((key) => (key === 'day' ? day : entry[key])),
    );
  });
  return sums;
}

function isWanted(entry: UsageEntry, { project, agent, model }: ReadUsage): boolean {
  return (
    (project === undefined || entry.project === project) &&
    (agent === undefined || entry.agent === agent) &&
    (model === undefined || entry.model === model)
  );
}

function rowJson(by: readonly UsageKey[], { entry, day }: UsageGroup, figures: UsageFigures): UsageRow {
  const { project, agent, model, task } = entry;
  const has = (key: UsageKey): boolean => by.includes(key);
  return {
    ...(has('day') && { day }),
    ...((has('project') || has('task')) && { project }),
    ...(has('agent') && { agent }),
    ...(has('model') && { model }),
    ...(has('task') && { task }),
    ...figuresJson(figures),
  };
}
