/** The tasks while they run: a table that is redrawn on a terminal, otherwise one line per event. */
import type { TaskView } from '../../../projections/index.ts';
import type { AppContext } from '../../app/context.ts';
import { eventJson } from '../../app/tasks/task-json.ts';
import { eventAnswerSchema } from '../../contracts/api/answers.ts';
import { eventLine } from '../task/event-text.ts';
import { styleOfTask } from '../task/styles.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import { durationText } from '../text/time.ts';
import { pad } from '../text/width.ts';

export interface LiveView {
  /** Draws the final state. Further calls do nothing. */
  close(): void;
}

const REDRAW_MS = 200;
const ID_WIDTH = 10;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_LINE = '\u001b[2K';
const up = (lines: number): string => (lines === 0 ? '' : `\u001b[${lines}A\r`);

export function openLiveView(terminal: Terminal, app: AppContext): LiveView {
  return terminal.isInteractive ? liveTable(terminal, app) : eventLines(terminal, app);
}

function eventLines(terminal: Terminal, app: AppContext): LiveView {
  const stop = app.log.onRecord((record) => {
    if (!('task' in record.event)) return;
    const event = eventAnswerSchema.parse(eventJson(record));
    terminal.print(`${pad(record.event.task, ID_WIDTH)} ${eventLine(terminal, event)}`);
  });
  return { close: stop };
}

function liveTable(terminal: Terminal, app: AppContext): LiveView {
  let drawn = 0;
  const draw = (): void => {
    const tasks = [...app.state.projections.blackboard.tasks.values()];
    const lines = tableLines(terminal, columnsAt(app.environment.clock.now()), tasks);
    terminal.write(`${up(drawn)}${lines.map((line) => `${CLEAR_LINE}${line}\n`).join('')}`);
    drawn = lines.length;
  };
  terminal.write(HIDE_CURSOR);
  draw();
  const timer = setInterval(draw, REDRAW_MS);
  let isClosed = false;
  return {
    close: () => {
      if (isClosed) return;
      isClosed = true;
      clearInterval(timer);
      draw();
      terminal.write(SHOW_CURSOR);
    },
  };
}

function columnsAt(now: number): Column<TaskView>[] {
  return [
    { title: 'TASK', text: ({ id }) => id, isName: true },
    { title: 'AGENT', text: (task) => task.agent ?? task.spec.agent ?? '' },
    { title: 'STATUS', text: ({ state }) => state, style: ({ state }) => styleOfTask(state) },
    { title: 'TRY', text: (task) => `${task.attemptsUsed}/${task.spec.max_attempts}`, align: 'right' },
    {
      title: 'TIME',
      text: (task) => durationText((task.finishedAt ?? now) - task.createdAt),
      align: 'right',
    },
    { title: 'WHAT', text: ({ reason, progress, spec }) => reason ?? progress ?? spec.title },
  ];
}
