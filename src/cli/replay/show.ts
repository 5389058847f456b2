/** The state at a moment. The JSON of a task is what the API answered at that moment. */

import { agentJson } from '../../app/agents/agents.ts';
import { pastHolderOf } from '../../app/budgets/budgets.ts';
import { readTask } from '../../app/tasks/read-tasks.ts';
import { taskJson } from '../../app/tasks/task-json.ts';
import { EXPANSIONS } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import type { TaskRef } from '../../contracts/ids.ts';
import { TASK_STATES } from '../../contracts/tasks.ts';
import { readRecords } from '../../engine/replay/event-source.ts';
import { type Moment, parseMoment } from '../../engine/replay/moment.ts';
import { Replay } from '../../engine/replay/replay.ts';
import { type OpenLog, openLog } from '../open-log.ts';
import { countText } from '../output.ts';
import { taskColumns } from '../task/read.ts';
import { styleOfTask } from '../task/styles.ts';
import { taskPage } from '../task/task-page.ts';
import type { Terminal } from '../terminal.ts';
import { progressOn, shownReading } from '../text/progress.ts';
import { tableLines } from '../text/table.ts';
import { showDiff } from './diff.ts';
import { placeJson, placeText, type ReplayOptions, type Scope, scopeOf } from './scope.ts';

/** A replay keeps all tasks in memory. */
const ALL_IN_MEMORY = { retention: { forgotten: 0 }, archive: { find: async () => null } } as const;

export async function showReplay(terminal: Terminal, options: ReplayOptions): Promise<void> {
  const now = Date.now();
  const scope = scopeOf(options);
  const { project, task } = scope;
  const { diff, to } = options;
  const moments = diff?.map((text) => parseMoment(text, now));
  const moment = to === undefined ? null : parseMoment(to, now);
  await using log = await openLog(options);
  using progress = progressOn(terminal, 'read');
  await using replay = new Replay(shownReading(log.source, progress));
  if (moments) {
    const request = { log, replay, moments: pairOf(moments), scope, now, json: options.json };
    await showDiff(terminal, { ...request, progress });
    return;
  }
  await replay.advance(moment, now);
  progress.clear();
  if (project === undefined || task === undefined) return showBoard(terminal, replay, scope, options, now);
  await showTask(terminal, log, replay, { project, task }, options, now);
}

function pairOf(moments: readonly Moment[]): readonly [Moment, Moment] {
  const [from, to] = moments;
  if (from && to && moments.length === 2) return [from, to];
  throw new SignalboxError(
    'invalid_request',
    '--diff needs two moments, the earlier one first: --diff 100 200',
  );
}

async function showTask(
  terminal: Terminal,
  { source, contentDirectory }: OpenLog,
  { projections, place }: Replay,
  ref: TaskRef,
  options: ReplayOptions,
  now: number,
): Promise<void> {
  const history = (): AsyncIterable<StoredRecord> => readRecords(source, { ...ref, to: place.sequence });
  const parts = EXPANSIONS.filter((part) => part !== 'events' || options.events === true);
  const past = {
    state: { projections, ...ALL_IN_MEMORY },
    log: { history },
    settings: { directories: { content: contentDirectory } },
  };
  const json = await readTask(past, ref, new Set(parts));
  if (options.json) {
    terminal.print(JSON.stringify({ ...placeJson(place), task: json }, null, 2));
    return;
  }
  terminal.print(placeText(place, now));
  terminal.print();
  const page = { full: options.full === true, now: place.time };
  terminal.print(taskPage(terminal, json, page).join('\n'));
}

const LIMIT = 100;

function showBoard(
  terminal: Terminal,
  { projections, place }: Replay,
  { project }: Scope,
  { json, limit }: ReplayOptions,
  now: number,
): void {
  const { blackboard, agents, budgets } = projections;
  const all = [...blackboard.tasks.values()].filter(
    (task) => project === undefined || task.project === project,
  );
  const counts = Object.fromEntries(
    TASK_STATES.map((state) => [state, all.filter((task) => task.state === state).length] as const),
  );
  const shown = all.slice(0, limit ?? (json ? all.length : LIMIT)).map(taskJson);
  if (json) {
    const agentsJson = [...agents.byId.values()].map((agent) =>
      agentJson(agent, pastHolderOf(budgets, agent.id)),
    );
    const known = project === undefined ? { agents: agentsJson } : {};
    terminal.print(JSON.stringify({ ...placeJson(place), counts, tasks: shown, ...known }, null, 2));
    return;
  }
  const present = TASK_STATES.filter((state) => counts[state] !== 0);
  const words = present.map((state) => terminal.style(styleOfTask(state), `${counts[state]} ${state}`));
  terminal.print(placeText(place, now));
  terminal.print(`${countText(all.length, 'task')}${words.length > 0 ? `: ${words.join(', ')}` : ''}`);
  if (shown.length === 0) return;
  const columns = taskColumns({ allProjects: project === undefined }, place.time);
  for (const line of tableLines(terminal, columns, shown)) terminal.print(line);
  if (shown.length < all.length)
    terminal.note(`showing ${shown.length} of ${all.length} tasks: raise --limit`);
}
