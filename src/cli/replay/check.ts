/** Replays the whole log, and reports the first event that gives a different result. */
import { timeOf } from '../../app/tasks/task-json.ts';
import { parseTaskKey } from '../../contracts/ids.ts';
import { checkHistory } from '../../engine/replay/replay.ts';
import type { Divergence } from '../../engine/runtime/divergence.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { openLog } from '../open-log.ts';
import type { SourceOptions } from '../options.ts';
import { printJson, printLines } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { progressOn, shownReading } from '../text/progress.ts';

export async function checkReplay(terminal: Terminal, options: SourceOptions): Promise<void> {
  await using log = await openLog(options);
  using progress = progressOn(terminal, 'checked');
  const { events, divergence } = await checkHistory(shownReading(log.source, progress));
  progress.clear();
  if (divergence !== null) terminal.exitCode = EXIT_CODES.diverged.code;
  if (options.json) {
    const found = divergence === null ? null : divergenceJson(divergence);
    return printJson(terminal, { ok: divergence === null, events, divergence: found });
  }
  if (divergence === null) {
    terminal.print(`all ${events} events of ${log.source.name} give the recorded result`);
    return;
  }
  printLines(terminal, divergenceLines(divergence));
}

function divergenceJson({ time, ...divergence }: Divergence): object {
  return { ...divergence, time: timeOf(time), task_path: taskPathOf(divergence) };
}

function divergenceLines(divergence: Divergence): string[] {
  const { sequence, type, time, recorded, expected, reason } = divergence;
  const path = taskPathOf(divergence);
  return [
    `event ${sequence} (${type}, ${timeOf(time)}) gives a different result: ${reason}`,
    `  recorded  ${JSON.stringify(recorded)}`,
    `  now       ${expected === null ? 'rejected' : JSON.stringify(expected)}`,
    ...(path === null ? [] : [`  task      ${path}`]),
    'All events before it give the recorded result. Use the version of Signalbox that wrote the log.',
  ];
}

/** HTTP path of the task; null for an agent or the supervisor. */
function taskPathOf({ entity, id }: Pick<Divergence, 'entity' | 'id'>): string | null {
  const { project, task } = parseTaskKey(id);
  return entity === 'task' || entity === 'attempt' ? `/api/projects/${project}/tasks/${task}` : null;
}
