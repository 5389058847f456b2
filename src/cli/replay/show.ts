/** The state at a moment, for people and for programs. The JSON of a task is what the API answered then. */
import { readTask } from '../../app/tasks/read-tasks.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { EXPANSIONS } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import type { ProjectId, TaskId } from '../../contracts/ids.ts';
import { readRecords } from '../../engine/replay/event-source.ts';
import { type Moment, parseMoment } from '../../engine/replay/moment.ts';
import { Replay } from '../../engine/replay/replay.ts';
import { type OpenLog, openLog } from '../log/open-log.ts';
import { taskPage } from '../task/task-page.ts';
import type { Terminal } from '../terminal.ts';
import { progressOn, shownReading } from '../text/progress.ts';
import { showBoard } from './board.ts';
import { showDiff } from './diff.ts';
import type { ReplayOptions } from './index.ts';
import { placeJson, placeText, scopeOf } from './scope.ts';

/** A replay lets no task go. */
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
    '--diff takes two moments, the earlier one first: --diff 100 200',
  );
}

async function showTask(
  terminal: Terminal,
  { source, contentDirectory }: OpenLog,
  { projections, place }: Replay,
  { project, task }: { readonly project: ProjectId; readonly task: TaskId },
  options: ReplayOptions,
  now: number,
): Promise<void> {
  const history = (): AsyncIterable<StoredRecord> =>
    readRecords(source, { project, task, to: place.sequence });
  const parts = EXPANSIONS.filter((part) => part !== 'events' || options.events === true);
  const past = {
    state: { projections, ...ALL_IN_MEMORY },
    log: { history },
    settings: { directories: { content: contentDirectory } },
  };
  const json = await readTask(past, project, task, new Set(parts));
  if (options.json) {
    terminal.print(JSON.stringify({ ...placeJson(place), task: json }, null, 2));
    return;
  }
  terminal.print(placeText(place, now));
  terminal.print();
  const page = { full: options.full === true, now: place.time };
  terminal.print(taskPage(terminal, json as unknown as TaskAnswer, page).join('\n'));
}
