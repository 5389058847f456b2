/**
 * The real agents under Signalbox, with a model that is a stub: each asks before it uses a tool, waits over a kill -9 of
 * Signalbox, and takes answers and messages.
 *
 *     npm run build && npm run real-agents              all of them
 *     npm run real-agents -- opencode                   one of them (the names are in tools.mjs)
 *
 * The tools are fetched from npm into the cache of the user. No key is needed. Prints a table with the versions.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Laboratory } from './laboratory.mjs';
import { startModel } from './model-server.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { TOOLS } from './tools.mjs';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(TOOLS, name));
if (unknown.length > 0)
  throw new Error(`there is no ${unknown.join(', ')}: choose ${Object.keys(TOOLS).join(', ')}`);

const directory = mkdtempSync(join(tmpdir(), 'signalbox-real-agents-'));
const model = await startModel();
const columns = [];
try {
  for (const name of wanted.length > 0 ? wanted : Object.keys(TOOLS)) columns.push(await tried(name));
} finally {
  model.close();
  rmSync(directory, { recursive: true, force: true });
}
const rows = Object.keys(SCENARIOS);
console.log(`\n| case | ${columns.map(({ title }) => title).join(' | ')} |`);
console.log(`| --- |${' --- |'.repeat(columns.length)}`);
for (const row of rows) console.log(`| ${row} | ${columns.map(({ results }) => results[row]).join(' | ')} |`);
const failures = columns
  .flatMap(({ results }) => Object.values(results))
  .filter((result) => result === '**fails**');
console.log(failures.length === 0 ? '\nall as it should be' : `\n${failures.length} cases failed`);
process.exit(failures.length === 0 ? 0 : 1);

async function tried(name) {
  const home = join(directory, name);
  mkdirSync(home);
  const tool = TOOLS[name]({ model, directory: home });
  const title = `${tool.driver} (${tool.version})`;
  const results = {};
  const laboratory = new Laboratory(home, tool);
  try {
    await laboratory.up();
    for (const [row, { needs, run }] of Object.entries(SCENARIOS)) {
      if (needs !== undefined && !tool.can.includes(needs)) {
        results[row] = '–';
        continue;
      }
      try {
        await run(laboratory);
        results[row] = 'works';
      } catch (error) {
        results[row] = '**fails**';
        console.log(`FAIL  ${title}: ${row}: ${error.message}`);
        await laboratory.cancelAll();
      }
      console.log(`${results[row]}: ${title}: ${row}`);
    }
  } finally {
    await laboratory.down('SIGTERM');
  }
  return { title, results };
}
