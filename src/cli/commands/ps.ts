/** `signalbox ps`: the processes of open attempts, as trees. */

import { oneLine } from '../../base/text/printable.ts';
import type { AttemptProcesses } from '../../contracts/api/answers.ts';
import { taskKey } from '../../contracts/ids.ts';
import type { CommandRow } from '../command.ts';
import { clientOf, type ServerOptions, withServer } from '../options.ts';
import { printAnswer } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { durationText } from '../text/time.ts';
import { pad, shorten } from '../text/width.ts';

export const ps: CommandRow = {
  name: 'ps',
  summary: 'list the processes of running agents',
  description:
    'Lists every open attempt with its process tree, including processes that left its process group or session.',
  examples: [
    ['List all processes', 'signalbox ps'],
    ['Print their pids, for a script', "signalbox ps --json | jq '.[].processes[]?.pid'"],
  ],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      const { attempts } = await clientOf(options).listProcesses();
      if (!options.json && attempts.length === 0) return terminal.note('no open attempts');
      printAnswer(terminal, options, attempts, () =>
        attempts.flatMap((each, index) => [...(index === 0 ? [] : ['']), ...processLines(terminal, each)]),
      );
    }),
};

type Process = NonNullable<AttemptProcesses['processes']>[number];

const HEADER = `${pad('PID', 9, 'right')}  S  ${pad('CPU', 9)} ${pad('AGE', 9)} COMMAND`;

/** One attempt and its processes, each below its parent. */
export function processLines(
  terminal: Pick<Terminal, 'columns' | 'style'>,
  attempt: AttemptProcesses,
): string[] {
  const { agent, status, host, processes } = attempt;
  const name = terminal.style('bold', taskKey(attempt));
  const head = `${name}, attempt ${attempt.attempt} by ${agent}: ${status}${host === null ? '' : ` on ${oneLine(host)}`}`;
  if (processes === null) return [`${head}, without processes of its own`];
  if (processes.length === 0) return [`${head}, no process of it is found`];
  const rows = treeOf(processes).map(({ process, depth }) =>
    shorten(`${factsOf(process)} ${'  '.repeat(depth)}${oneLine(process.command)}`, terminal.columns),
  );
  return [head, terminal.style('dim', HEADER), ...rows];
}

function factsOf({ pid, state, cpu_ms: cpu, age_ms: age }: Process): string {
  const time = (ms: number | null): string => pad(ms === null ? '-' : durationText(ms), 9);
  return `${pad(String(pid), 9, 'right')}  ${state}  ${time(cpu)} ${time(age)}`;
}

/** A process whose parent is not in the list (Signalbox started it, or it left its parent) is at the top level. */
function treeOf(processes: readonly Process[]): { readonly process: Process; readonly depth: number }[] {
  const pids = new Set(processes.map(({ pid }) => pid));
  const below = (parent: number, depth: number): ReturnType<typeof treeOf> =>
    processes
      .filter((each) => each.parent_pid === parent && each.pid !== parent)
      .flatMap((each) => at(each, depth));
  const at = (process: Process, depth: number): ReturnType<typeof treeOf> => [
    { process, depth },
    ...below(process.pid, depth + 1),
  ];
  return processes.filter(({ parent_pid: parent }) => !pids.has(parent)).flatMap((top) => at(top, 0));
}
