/** Whether a kill did what its evidence says. */
import { pino } from 'pino';
import type { AttemptAnswer } from '../../contracts/api/answers.ts';
import { createHost } from '../../process/host/host.ts';
import { findAlive } from '../../process/host/process-table.ts';
import { killOf } from '../task/attempt-text.ts';

/** The evidence has to say that the agent and its child are gone, and the system has to agree. null: so it is. */
export function killProblem(attempt: AttemptAnswer | undefined): string | null {
  const kill = attempt === undefined ? null : killOf(attempt);
  if (kill === null) return 'there is no evidence of the kill';
  if (kill.survivors > 0) return `${kill.survivors} processes survived the kill`;
  if (kill.processCount < 2) return 'the child of the agent was not found';
  const { table } = createHost(pino({ level: 'silent' }), Date.now);
  const alive = kill.processes.filter((process) => findAlive(table, process) !== undefined);
  return alive.length === 0
    ? null
    : `still alive after the kill: pid ${alive.map(({ pid }) => pid).join(', ')}`;
}
