import { timeOf } from '../../app/tasks/task-json.ts';
import { checkHistory } from '../../engine/replay/replay.ts';
import type { Divergence } from '../../engine/runtime/divergence.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { SourceOptions } from '../log/log-options.ts';
import { openLog } from '../log/open-log.ts';
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
    terminal.print(JSON.stringify({ ok: divergence === null, events, divergence: found }, null, 2));
    return;
  }
  if (divergence === null) {
    terminal.print(`all ${events} events of ${log.source.name} go as they were recorded`);
    return;
  }
  for (const line of divergenceLines(divergence)) terminal.print(line);
}

function divergenceJson({ time, ...divergence }: Divergence): object {
  return { ...divergence, time: timeOf(time), task_path: taskPathOf(divergence) };
}

export function divergenceLines(divergence: Divergence): string[] {
  const { sequence, type, time, recorded, expected, reason } = divergence;
  const path = taskPathOf(divergence);
  return [
    `event ${sequence} (${type}, ${timeOf(time)}) would go otherwise: ${reason}`,
    `  recorded  ${JSON.stringify(recorded)}`,
    `  now       ${expected === null ? 'refused' : JSON.stringify(expected)}`,
    ...(path === null ? [] : [`  task      ${path}`]),
    'Every event before it goes as it was recorded. Use the version of Signalbox that wrote the log.',
  ];
}

/** Where the API has the task that it is about; null for an agent or the supervisor. */
function taskPathOf({ entity, id }: Pick<Divergence, 'entity' | 'id'>): string | null {
  const [project, task] = id.split('/');
  return entity === 'task' || entity === 'attempt' ? `/api/projects/${project}/tasks/${task}` : null;
}
