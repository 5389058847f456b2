/** Processes as a tree of lines. */
import type { AttemptProcesses } from '../contracts/api/answers.ts';
import type { Terminal } from './terminal.ts';
import { oneLine } from './text/printable.ts';
import { durationText } from './text/time.ts';
import { pad, shorten } from './text/width.ts';

type Process = NonNullable<AttemptProcesses['processes']>[number];

const HEADER = `${pad('PID', 9, 'right')}  S  ${pad('CPU', 9)} ${pad('AGE', 9)} COMMAND`;

/** One attempt: who and where, then its processes, each below the one that started it. */
export function processLines(
  terminal: Pick<Terminal, 'columns' | 'style'>,
  attempt: AttemptProcesses,
): string[] {
  const { project, task, agent, status, host, processes } = attempt;
  const head = `${terminal.style('bold', `${project}/${task}`)}, attempt ${attempt.attempt} by ${agent}: ${status}`;
  const where = host === null ? '' : ` on ${oneLine(host)}`;
  if (processes === null) return [`${head}${where}, without processes of its own`];
  if (processes.length === 0) return [`${head}${where}, no process is left`];
  const rows = treeOf(processes).map(({ process, depth }) =>
    shorten(`${factsOf(process)} ${'  '.repeat(depth)}${oneLine(process.command)}`, terminal.columns),
  );
  return [`${head}${where}`, terminal.style('dim', HEADER), ...rows];
}

function factsOf({ pid, state, cpu_ms: cpu, age_ms: age }: Process): string {
  const time = (ms: number | null): string => pad(ms === null ? '-' : durationText(ms), 9);
  return `${pad(String(pid), 9, 'right')}  ${state}  ${time(cpu)} ${time(age)}`;
}

/** A process whose parent is not among them (it was started by Signalbox, or left its parent) stands at the top. */
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
