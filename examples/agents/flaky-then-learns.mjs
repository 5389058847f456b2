/**
 * Adds up the usage of agents from a log of JSON lines, and shows what a retry is for. It is strict at first: a line that
 * is no usage record fails the attempt, with file and line. A later attempt that gets exactly this failure sets
 * such lines aside and reports it. After other failures (a timeout, a kill) it stays strict: they say nothing about
 * the log.
 *
 * Parameters: `file` (default: the sample in ../data, with one line that a crash cut short).
 */
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { counted, number, table } from './lib/markdown.mjs';
import { parameter, runAgent, say } from './lib/signalbox.mjs';
import { groupBy } from './lib/statistics.mjs';

const SAMPLE = fileURLToPath(new URL('../data/usage.jsonl', import.meta.url));
/** The failure that a later attempt knows how to avoid. */
const BROKEN = 'is not a usage record';
const LONGEST_QUOTE = 300;
/** More broken lines than this share are no accident: then it is the wrong file. */
const MOST_BROKEN = 0.05;

/**
 * @typedef {{ agent: string, input_tokens: number, output_tokens: number, cost_usd: number }} Usage
 * @typedef {{ line: number, reason: string }} BrokenLine
 */

await runAgent(async (signalbox, task) => {
  const file = resolve(parameter(task, 'file', SAMPLE));
  const name = basename(file);
  const failures = earlierFailures(task, signalbox.attempt, await signalbox.prompt());
  const lesson = lessonFrom(failures, name);
  await signalbox.status(
    'working',
    lesson ? `reading ${name}, broken lines aside` : `reading ${name} strictly`,
  );

  const text = await readFile(file, 'utf8');
  const { usages, broken } = lesson ? lenient(text, name) : strict(text, name);
  const totals = totalsByAgent(usages);
  const aside = `${counted(broken.length, 'line')} set aside`;
  const summary = `${counted(usages.length, 'record')} of ${counted(totals.length, 'agent')}, ${aside}`;
  say(summary);

  if (lesson) await signalbox.comment(`An earlier attempt failed: "${lesson}". So such lines are set aside.`);
  const figures = JSON.stringify({ totals, broken }, null, 2);
  await signalbox.output({
    type: 'document',
    title: 'Usage by agent',
    content: report(totals, broken),
    summary,
  });
  await signalbox.output({ type: 'data', title: 'Usage figures', content: figures });
  await signalbox.status('review', summary);
});

/**
 * What went wrong before: as Signalbox keeps it, and as it stands in the prompt that Signalbox wrote.
 * @param {import('./lib/signalbox.mjs').Task} task @param {number} attempt this one @param {string} prompt
 */
function earlierFailures(task, attempt, prompt) {
  if (attempt === 1) return [];
  const earlier = (task.attempts ?? []).filter((each) => each.attempt < attempt);
  const recorded = earlier.flatMap(({ error, stderr_tail }) => [error, stderr_tail]);
  return [...recorded, task.reason, prompt].filter((text) => typeof text === 'string');
}

/**
 * The failure that this program knows how to avoid, as `strict` words it; null if none of the texts contains it.
 * @param {string[]} failures @param {string} name
 */
function lessonFrom(failures, name) {
  const lines = failures.flatMap((text) => text.split('\n'));
  const told = lines.find((line) => line.includes(`${name}: line `) && line.includes(BROKEN));
  if (told === undefined) return null;
  const start = told.indexOf(`${name}: line `);
  return told.slice(start, start + LONGEST_QUOTE);
}

/** @param {string} text @param {string} name @returns {{ usages: Usage[], broken: BrokenLine[] }} */
function strict(text, name) {
  const { usages, broken } = readLines(text);
  if (broken.length === 0) return { usages, broken };
  throw new Error(`${name}: line ${broken[0].line} ${BROKEN}: ${broken[0].reason}`);
}

/** @param {string} text @param {string} name @returns {{ usages: Usage[], broken: BrokenLine[] }} */
function lenient(text, name) {
  const { usages, broken } = readLines(text);
  const lines = usages.length + broken.length;
  if (broken.length <= lines * MOST_BROKEN) return { usages, broken };
  throw new Error(`${name}: ${broken.length} of ${lines} lines are broken: this is not a usage log`);
}

/** @param {string} text */
function readLines(text) {
  /** @type {Usage[]} */
  const usages = [];
  /** @type {BrokenLine[]} */
  const broken = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      usages.push(parseUsage(line));
    } catch (error) {
      broken.push({ line: index + 1, reason: /** @type {Error} */ (error).message });
    }
  }
  return { usages, broken };
}

/** @param {string} line @returns {Usage} */
function parseUsage(line) {
  const record = JSON.parse(line);
  if (typeof record?.agent !== 'string') throw new Error('it has no "agent"');
  for (const key of ['input_tokens', 'output_tokens', 'cost_usd']) {
    if (typeof record[key] !== 'number') throw new Error(`"${key}" is not a number`);
  }
  return record;
}

/** @param {Usage[]} usages */
function totalsByAgent(usages) {
  const sum = (/** @type {number[]} */ numbers) => numbers.reduce((total, each) => total + each, 0);
  return [...groupBy(usages, ({ agent }) => agent)]
    .map(([agent, own]) => ({
      agent,
      records: own.length,
      input_tokens: sum(own.map((each) => each.input_tokens)),
      output_tokens: sum(own.map((each) => each.output_tokens)),
      cost_usd: Number(sum(own.map((each) => each.cost_usd)).toFixed(4)),
    }))
    .toSorted((a, b) => b.cost_usd - a.cost_usd);
}

/** @param {ReturnType<typeof totalsByAgent>} totals @param {BrokenLine[]} broken */
function report(totals, broken) {
  const rows = totals.map(({ agent, ...figures }) => [agent, ...Object.values(figures).map(number)]);
  const aside = broken.map(({ line, reason }) => `- line ${line}: ${reason}`);
  return [
    '# Usage by agent',
    table(['Agent', 'Records', 'Input tokens', 'Output tokens', 'Cost in USD'], rows),
    ...(aside.length > 0 ? [`## Lines set aside\n\n${aside.join('\n')}`] : []),
  ].join('\n\n');
}
