/** What agents have used: sums over the attempts that have ended. */
import { z } from 'zod';
import type { Projections, UsageState } from '../../../projections/index.ts';
import { SLOT_MS, type UsageEntry, usageBetween } from '../../../projections/usage.ts';
import { addFigures, noFigures, type UsageFigures } from '../../../projections/usage-figures.ts';
import type { Environment } from '../../base/environment.ts';
import { beginOfDay, dayFinder, endOfDay } from '../../base/periods.ts';
import type { ReadUsage, UsageAnswer, UsageKey, UsageRow } from '../../contracts/api/usage/usage.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { taskKey } from '../../contracts/ids.ts';
import { parseMoment } from '../../engine/replay/moment.ts';
import type { AppContext } from '../context.ts';
import { timeOf } from '../tasks/task-json.ts';
import { figuresJson } from '../tasks/usage-json.ts';

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
  return {
    from: from === undefined ? null : boundOf('from', from, (day) => beginOfDay(day, zone), now),
    to: to === undefined ? null : boundOf('to', to, (day) => endOfDay(day, zone), now),
  };
}

const daySchema = z.iso.date();

/** @param ofDay the bound for a day of the zone */
function boundOf(name: string, text: string, ofDay: (day: string) => number, now: number): number {
  const day = daySchema.safeParse(text).data;
  if (day !== undefined) return ofDay(day);
  const moment = parseMoment(text, now);
  if (moment.kind === 'sequence')
    throw new SignalboxError('invalid_request', `${name}: expected a day or a time, not a sequence`);
  return Math.floor(moment.time / SLOT_MS) * SLOT_MS;
}

interface Group {
  readonly entry: UsageEntry;
  readonly day: string;
  readonly figures: UsageFigures;
}

function answerOf(state: UsageState, sequence: number, request: ReadUsage, { from, to }: Range): UsageAnswer {
  const { by, zone, limit } = request;
  const total = noFigures();
  const groups = new Map<string, Group>();
  const dayOf = dayFinder(zone);
  const isByDay = by.includes('day');
  for (const entry of usageBetween(state, from ?? Number.NEGATIVE_INFINITY, to ?? Number.POSITIVE_INFINITY)) {
    if (!isWanted(entry, request)) continue;
    addFigures(total, entry);
    const day = isByDay ? dayOf(entry.time) : '';
    const key = by.map((each) => keyOf(each, entry, day)).join(' ');
    let group = groups.get(key);
    if (!group) {
      group = { entry, day, figures: noFigures() };
      groups.set(key, group);
    }
    addFigures(group.figures, entry);
  }
  const sorted = [...groups.values()].sort(isByDay ? byDay : byCost);
  const others = sorted.splice(limit);
  return {
    sequence,
    by,
    zone,
    from: timeOf(from),
    to: timeOf(to),
    total: figuresJson(total),
    rows: sorted.map((group) => rowJson(by, group)),
    rest: others.length === 0 ? null : { rows: others.length, ...figuresJson(sumOf(others)) },
  };
}

function isWanted(entry: UsageEntry, { project, agent, model }: ReadUsage): boolean {
  return (
    (project === undefined || entry.project === project) &&
    (agent === undefined || entry.agent === agent) &&
    (model === undefined || entry.model === model)
  );
}

/** None of these has a space in it. */
function keyOf(key: UsageKey, { project, task, agent, model }: UsageEntry, day: string): string {
  switch (key) {
    case 'day':
      return day;
    case 'project':
      return project;
    case 'agent':
      return agent;
    case 'model':
      return model ?? '';
    case 'task':
      return task === null ? project : taskKey({ project, task });
  }
}

function byDay(a: Group, b: Group): number {
  if (a.day !== b.day) return a.day < b.day ? -1 : 1;
  return byCost(a, b);
}

function byCost({ figures: a }: Group, { figures: b }: Group): number {
  return b.cost - a.cost || tokens(b) - tokens(a) || b.attempts - a.attempts;
}

function sumOf(groups: readonly Group[]): UsageFigures {
  const sum = noFigures();
  for (const { figures } of groups) addFigures(sum, figures);
  return sum;
}

function rowJson(by: readonly UsageKey[], { entry, day, figures }: Group): UsageRow {
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

const tokens = ({ input, output }: UsageFigures): number => input + output;
