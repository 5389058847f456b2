/**
 * What attempts have used: the newest one by one, older ones in quarters of an hour, which begin and end with the days of
 * every time zone.
 *
 * An attempt counts at the time of its end. One that never started has used nothing and is left out. Sums are exact:
 * tokens are whole numbers, costs billionths of a dollar. Readers get figures and never hold an entry, so full pages never
 * change and a copy shares them.
 *
 * What an agent prints may name any model, so of each agent only the first models have an entry of their own.
 */
import type { EventOf } from '../src/contracts/events/events.ts';
import { taskKey } from '../src/contracts/ids.ts';
import type { PastProjection } from './projection.ts';
import { addFigures, FIGURES, figuresOfEnd, hasUsed, noFigures, type UsageFigures } from './usage-figures.ts';

/** Quarters of an hour: times of older attempts are kept to one. */
export const SLOT_MS = 900_000;
const DAY_MS = 86_400_000;
const PAGE_ENTRIES = 512;
/** The newest 131,072 attempts are kept one by one. */
const MAX_PAGES = 256;
const MAX_MODELS_PER_AGENT = 20;
/** Stands for the models of an agent beyond these. */
export const OTHER_MODELS = 'other';

/** One attempt, or the older attempts of a quarter of an hour. */
export interface UsageEntry extends UsageFigures {
  /** Epoch milliseconds: of the end, or the beginning of the quarter. */
  readonly time: number;
  readonly project: string;
  /** null for older attempts. */
  readonly task: string | null;
  readonly agent: string;
  /** null if it is not known. */
  readonly model: string | null;
}

export interface UsageState {
  /** The newest attempts, oldest first. */
  readonly pages: UsageEntry[][];
  /** Older ones, by the day since the epoch (UTC). */
  readonly days: Map<number, readonly UsageEntry[]>;
  /** Keys of the tasks whose open attempt has started. */
  readonly started: Set<string>;
  /** The models of each agent. */
  readonly models: Map<string, readonly string[]>;
  /** Of all time, by agent and model. */
  readonly totals: Map<string, UsageEntry>;
}

export const usage = usageProjection(MAX_PAGES);

/** @param maxPages of attempts that are kept one by one */
export function usageProjection(maxPages: number): PastProjection<UsageState> {
  return {
    name: 'usage',
    version: 1,
    initial: () => ({ pages: [], days: new Map(), started: new Set(), models: new Map(), totals: new Map() }),
    evolve(state, { event, time }) {
      if (event.type === 'attempt.started') state.started.add(taskKey(event));
      else if (event.type === 'attempt.ended') onEnded(state, event, time, maxPages);
    },
    toJSON: ({ pages, days, started, models, totals }) => ({
      pages: pages.map((page) => page.map(rowOf)),
      days: [...days].map(([day, entries]): DayJson => [day, entries.map(rowOf)]),
      started: [...started],
      models: [...models],
      totals: [...totals.values()].map(rowOf),
    }),
    forget: () => {},
    restore: (json) => {
      const { pages, days, started, models, totals } = json as UsageJson;
      return {
        pages: pages.map((page) => page.map(entryOf)),
        days: new Map(days.map(([day, rows]) => [day, rows.map(entryOf)])),
        started: new Set(started),
        models: new Map(models),
        totals: new Map(totals.map((row) => entryOf(row)).map((entry) => [totalKey(entry), entry])),
      };
    },
    *pieces(state) {
      const { pages, days, ...rest } = state;
      for (const [index, page] of pages.entries()) yield ['usage', `page ${index}`, page.map(rowOf)];
      for (const [day, entries] of days) yield ['usage', `day ${day}`, entries.map(rowOf)];
      yield [
        'usage',
        'totals',
        {
          started: [...rest.started],
          models: [...rest.models],
          totals: [...rest.totals.values()].map(rowOf),
        },
      ];
    },
    copy: ({ pages, days, started, models, totals }) => ({
      pages: [...pages.slice(0, -1), ...pages.slice(-1).map((page) => [...page])],
      days: new Map(days),
      started: new Set(started),
      models: new Map(models),
      totals: new Map([...totals].map(([key, entry]) => [key, { ...entry }])),
    }),
  };
}

/** Visits what ended from one moment on and before another one; of older attempts whole quarters of an hour. */
export function visitUsage(
  state: UsageState,
  from: number,
  until: number,
  visit: (entry: UsageEntry) => void,
): void {
  const visitAll = (entries: readonly UsageEntry[]): void => {
    for (const entry of entries) if (entry.time >= from && entry.time < until) visit(entry);
  };
  const [first, last] = [Math.floor(from / DAY_MS), Math.floor(until / DAY_MS)];
  for (const [day, entries] of state.days) if (day >= first && day <= last) visitAll(entries);
  for (const page of state.pages) visitAll(page);
}

function onEnded(state: UsageState, event: EventOf<'attempt.ended'>, time: number, maxPages: number): void {
  const hasStarted = state.started.delete(taskKey(event));
  if (!hasUsed(event, hasStarted)) return;
  const entry = entryOfEnd(state, event, time);
  pageFor(state, maxPages).push(entry);
  const total = state.totals.get(totalKey(entry));
  if (total) addFigures(total, entry);
  else state.totals.set(totalKey(entry), { ...entry, time: 0, project: '', task: null });
}

function entryOfEnd(state: UsageState, event: EventOf<'attempt.ended'>, time: number): UsageEntry {
  const { project, task, agent, usage: used } = event;
  const model = used?.model === undefined ? null : modelOf(state, agent, used.model);
  return { time, project, task, agent, model, ...figuresOfEnd(event) };
}

function modelOf({ models }: UsageState, agent: string, model: string): string {
  const known = models.get(agent) ?? [];
  if (known.includes(model)) return model;
  if (known.length >= MAX_MODELS_PER_AGENT) return OTHER_MODELS;
  models.set(agent, [...known, model]);
  return model;
}

/** The page for the next entry. If there are too many, the oldest one becomes quarters of an hour. */
function pageFor({ pages, days }: UsageState, maxPages: number): UsageEntry[] {
  const last = pages.at(-1);
  if (last && last.length < PAGE_ENTRIES) return last;
  const page: UsageEntry[] = [];
  pages.push(page);
  if (pages.length > maxPages)
    for (const [day, entries] of byDay(pages.shift() ?? [])) merge(days, day, entries);
  return page;
}

function byDay(entries: readonly UsageEntry[]): Map<number, UsageEntry[]> {
  const days = new Map<number, UsageEntry[]>();
  for (const entry of entries) {
    const day = Math.floor(entry.time / DAY_MS);
    const there = days.get(day);
    if (there) there.push(entry);
    else days.set(day, [entry]);
  }
  return days;
}

/** The entries of a day are replaced as a whole: a copy of the state may share the old ones. */
function merge(days: UsageState['days'], day: number, entries: readonly UsageEntry[]): void {
  const slots = new Map((days.get(day) ?? []).map((entry) => [slotKey(entry), { ...entry }]));
  for (const entry of entries) {
    const slot = { ...entry, time: Math.floor(entry.time / SLOT_MS) * SLOT_MS, task: null };
    const there = slots.get(slotKey(slot));
    if (there) addFigures(there, entry);
    else slots.set(slotKey(slot), slot);
  }
  days.set(day, [...slots.values()]);
}

const slotKey = ({ time, project, agent, model }: UsageEntry): string =>
  `${time} ${project} ${agent} ${model ?? ''}`;
const totalKey = ({ agent, model }: UsageEntry): string => `${agent} ${model ?? ''}`;

/** An entry in a snapshot. */
type Row = readonly [
  time: number,
  project: string,
  task: string | null,
  agent: string,
  model: string | null,
  figures: readonly number[],
];
type DayJson = readonly [number, readonly Row[]];
interface UsageJson {
  readonly pages: readonly (readonly Row[])[];
  readonly days: readonly DayJson[];
  readonly started: readonly string[];
  readonly models: readonly (readonly [string, readonly string[]])[];
  readonly totals: readonly Row[];
}

function rowOf(entry: UsageEntry): Row {
  const { time, project, task, agent, model } = entry;
  return [time, project, task, agent, model, FIGURES.map((figure) => entry[figure])];
}

function entryOf([time, project, task, agent, model, figures]: Row): UsageEntry {
  const entry = { time, project, task, agent, model, ...noFigures() };
  for (const [index, figure] of FIGURES.entries()) entry[figure] = figures[index] ?? 0;
  return entry;
}
