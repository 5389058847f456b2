/**
 * Analyses a column of numbers in a CSV file: statistics by group, outliers, the trend from week to week, and what is
 * missing or not a number.
 *
 * Parameters: `file` (default: the sample of agent runs beside this program), `group_by` ("agent"),
 * `value` ("duration_seconds"), `date` ("date"; without such a column there is no trend). A rejection may
 * name another column in a line of its comment, such as `group_by: task_type`.
 */
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCsv } from './lib/csv.mjs';
import { counted, number, table } from './lib/markdown.mjs';
import { parameter, runAgent, say } from './lib/signalbox.mjs';
import { groupBy, outlierFences, slope, summarize, weekOf } from './lib/statistics.mjs';

const SAMPLE = fileURLToPath(new URL('../data/agent-runs.csv', import.meta.url));
const MISSING = /^(?:|-|n\/?a|null|none)$/i;
/** With fewer values, fences mean nothing. */
const FEWEST_FOR_OUTLIERS = 8;
/** The most outliers and unusable values that are listed. */
const SHOWN = 10;
const LISTED = 200;

/**
 * @typedef {{ line: number, group: string, week: string | null, value: number }} Point
 * @typedef {{ line: number, text: string }} Oddity
 */

await runAgent(async (signalbox, task) => {
  const file = resolve(parameter(task, 'file', SAMPLE));
  const columns = {
    group_by: wantedColumn(task, 'group_by', 'agent'),
    value: wantedColumn(task, 'value', 'duration_seconds'),
    date: wantedColumn(task, 'date', 'date'),
  };
  await signalbox.status('working', `analysing ${columns.value} by ${columns.group_by} in ${basename(file)}`);

  const analysis = { file: basename(file), ...columns, ...analyse(await readFile(file, 'utf8'), columns) };
  const { counts, groups } = analysis;
  const found = [
    counted(counts.rows, 'row'),
    counted(groups.length, 'group'),
    counted(counts.outliers, 'outlier'),
  ];
  const summary = found.join(', ');
  say(summary);

  const title = `${columns.value} by ${columns.group_by}`;
  await signalbox.output({ type: 'document', title, content: report(analysis), summary });
  await signalbox.output({
    type: 'data',
    title: `${title}: figures`,
    content: JSON.stringify(analysis, null, 2),
    summary,
  });
  await signalbox.status('review', summary);
});

/**
 * The column that the newest comment asks for, else the one that the task names, else `fallback`.
 * @param {import('./lib/signalbox.mjs').Task} task @param {string} name @param {string} fallback
 * @returns {string}
 */
function wantedColumn(task, name, fallback) {
  const request = new RegExp(`^${name}: *(\\S+) *$`, 'm');
  const asked = (task.comments ?? []).flatMap(({ body }) => request.exec(body)?.[1] ?? []);
  return asked.at(-1) ?? parameter(task, name, fallback);
}

/** @param {string} text @param {{ group_by: string, value: string, date: string }} columns */
function analyse(text, columns) {
  const { points, missing, odd, rows } = readPoints(text, columns);
  if (points.length === 0)
    throw new Error(`no number in column "${columns.value}" of ${counted(rows, 'row')}`);
  const byGroup = [...groupBy(points, (point) => point.group)].toSorted(([a], [b]) => a.localeCompare(b));
  const groups = byGroup.map(([group, members]) => ({
    group,
    ...summarize(members.map(({ value }) => value)),
  }));
  const outliers = byGroup
    .flatMap(([, members]) => outliersOf(members))
    .toSorted((a, b) => b.value - a.value);
  const all = summarize(points.map(({ value }) => value));
  const counts = { rows, missing, unusable: odd.length, outliers: outliers.length };
  const listed = { unusable_values: odd.slice(0, LISTED), outlier_values: outliers.slice(0, LISTED) };
  return { counts, all, groups, trend: trendOf(points, byGroup), ...listed };
}

/** @param {string} text @param {{ group_by: string, value: string, date: string }} columns */
function readPoints(text, columns) {
  const [head, ...records] = parseCsv(text);
  if (head === undefined) throw new Error('the file is empty');
  const column = (/** @type {string} */ name) => {
    const index = head.fields.indexOf(name);
    if (index >= 0) return index;
    throw new Error(`no column "${name}"; the file has ${head.fields.map((each) => `"${each}"`).join(', ')}`);
  };
  const group = column(columns.group_by);
  const value = column(columns.value);
  const date = head.fields.indexOf(columns.date);
  /** @type {Point[]} */
  const points = [];
  /** @type {Oddity[]} */
  const odd = [];
  let missing = 0;
  for (const { line, fields } of records) {
    const text = (fields[value] ?? '').trim();
    if (fields.length !== head.fields.length)
      odd.push({ line, text: `${fields.length} fields instead of ${head.fields.length}` });
    else if (MISSING.test(text)) missing += 1;
    else if (!Number.isFinite(Number(text))) odd.push({ line, text });
    else points.push({ line, group: fields[group], week: weekOf(fields[date] ?? ''), value: Number(text) });
  }
  return { points, missing, odd, rows: records.length };
}

/** @param {Point[]} members of one group */
function outliersOf(members) {
  if (members.length < FEWEST_FOR_OUTLIERS) return [];
  const fences = outlierFences(members.map(({ value }) => value));
  return members.filter(({ value }) => value < fences.low || value > fences.high);
}

/**
 * The median of each week, for all and for each group, and by how much it grows a week.
 * @param {Point[]} points @param {[string, Point[]][]} byGroup
 */
function trendOf(points, byGroup) {
  const dated = points.filter(({ week }) => week !== null);
  const weeks = [...new Set(dated.map(({ week }) => String(week)))].toSorted();
  if (weeks.length < 2) return null;
  const series = [['all', points], ...byGroup].map(([name, members]) => {
    const byWeek = groupBy(/** @type {Point[]} */ (members), (point) => point.week);
    const medians = weeks.map((week) => {
      const values = byWeek.get(week)?.map(({ value }) => value);
      return values ? summarize(values).median : null;
    });
    return { name, medians, growth: slope(medians.filter((median) => median !== null)) };
  });
  return { weeks, series };
}

/** @param {ReturnType<typeof analyse> & { file: string, value: string, group_by: string }} analysis */
function report({ file, value, group_by, counts, all, groups, trend, unusable_values, outlier_values }) {
  const statistics = [...groups, { group: '**all**', ...all }].map((each) => [
    each.group,
    ...[each.count, each.mean, each.median, each.p95, each.max, each.sum].map(number),
  ]);
  const odd = unusable_values
    .slice(0, SHOWN)
    .map(({ line, text }) => `- line ${line}: ${JSON.stringify(text)}`);
  const extremes = outlier_values.slice(0, SHOWN).map((each) => [each.group, each.line, number(each.value)]);
  return [
    `# ${value} by ${group_by}`,
    `${file}: ${counted(counts.rows, 'row')}; ${counts.missing} without a value, ${counts.unusable} not usable.`,
    table([group_by, 'Count', 'Mean', 'Median', 'p95', 'Max', 'Sum'], statistics),
    ...(trend ? [`## Median by week\n\n${trendTable(trend)}`] : []),
    `## Outliers\n\n${counted(counts.outliers, 'value')} more than 1.5 interquartile ranges outside the middle half of the group.`,
    ...(extremes.length > 0 ? [table([group_by, 'Line', value], extremes)] : []),
    ...(odd.length > 0 ? [`## Not usable\n\n${odd.join('\n')}`] : []),
  ].join('\n\n');
}

/** @param {NonNullable<ReturnType<typeof trendOf>>} trend */
function trendTable({ weeks, series }) {
  const rows = weeks.map((week, index) => [
    `week of ${week}`,
    ...series.map(({ medians }) => (medians[index] === null ? '' : number(medians[index]))),
  ]);
  const growth = series.map((each) => `${each.growth > 0 ? '+' : ''}${number(each.growth)}`);
  return table(['', ...series.map(({ name }) => String(name))], [...rows, ['**change a week**', ...growth]]);
}
