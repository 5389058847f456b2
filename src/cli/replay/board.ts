/** The board as it was. */
import { agentJson } from '../../app/agents/agents.ts';
import { taskJson } from '../../app/tasks/task-json.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { TASK_STATES } from '../../contracts/tasks.ts';
import type { Replay } from '../../engine/replay/replay.ts';
import { taskColumns } from '../task/ls.ts';
import { styleOfState } from '../task/state-style.ts';
import type { Terminal } from '../terminal.ts';
import { tableLines } from '../text/table.ts';
import type { ReplayOptions } from './index.ts';
import { placeJson, placeText, type Scope } from './scope.ts';

const LIMIT = 100;

export function showBoard(
  terminal: Terminal,
  { projections, place }: Replay,
  { project }: Scope,
  { json, limit }: ReplayOptions,
  now: number,
): void {
  const { blackboard, agents } = projections;
  const all = [...blackboard.tasks.values()].filter(
    (task) => project === undefined || task.project === project,
  );
  const counts = Object.fromEntries(
    TASK_STATES.map((state) => [state, all.filter((task) => task.state === state).length] as const),
  );
  const shown = all.slice(0, limit ?? (json ? all.length : LIMIT)).map(taskJson);
  if (json) {
    const known = project === undefined ? { agents: [...agents.byId.values()].map(agentJson) } : {};
    terminal.print(JSON.stringify({ ...placeJson(place), counts, tasks: shown, ...known }, null, 2));
    return;
  }
  const present = TASK_STATES.filter((state) => counts[state] !== 0);
  const words = present.map((state) => terminal.style(styleOfState(state), `${counts[state]} ${state}`));
  terminal.print(placeText(place, now));
  terminal.print(
    `${all.length} ${all.length === 1 ? 'task' : 'tasks'}${words.length > 0 ? `: ${words.join(', ')}` : ''}`,
  );
  if (shown.length === 0) return;
  const columns = taskColumns({ allProjects: project === undefined }, place.time);
  // The same form as the API's, made by the same function.
  for (const line of tableLines(terminal, columns, shown as unknown as TaskAnswer[])) terminal.print(line);
  if (shown.length < all.length) terminal.note(`there are ${all.length} tasks: ask for more with --limit`);
}
