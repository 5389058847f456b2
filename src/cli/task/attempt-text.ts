/** Attempts as text: the columns of a table, and the evidence of a kill. */
import { z } from 'zod';
import type { AttemptAnswer } from '../../contracts/api/answers.ts';
import type { Column } from '../text/table.ts';
import { bytesText, durationText } from '../text/time.ts';
import { styleOfAttempt } from './styles.ts';

/** The part of the evidence that is printed; `--json` prints all of it. */
const killSchema = z.object({
  startedAt: z.number(),
  endedAt: z.number(),
  survivors: z.number(),
  rounds: z.number(),
  signals: z.array(z.object({ signal: z.string(), to: z.string() })),
  signalCount: z.number(),
  processes: z.array(z.object({ pid: z.number(), startTime: z.string(), foundBy: z.string() })),
  processCount: z.number(),
});
export type KillSummary = z.output<typeof killSchema>;

export const ATTEMPT_COLUMNS: readonly Column<AttemptAnswer>[] = [
  { title: '#', text: ({ attempt }) => attempt, align: 'right' },
  { title: 'AGENT', text: ({ agent }) => agent, isName: true },
  { title: 'OUTCOME', text: ({ status }) => status, style: ({ status }) => styleOfAttempt(status) },
  { title: 'PID', text: ({ pid }) => pid ?? '-', align: 'right' },
  { title: 'EXIT', text: exitText },
  {
    title: 'DURATION',
    text: ({ duration_ms: ms }) => (ms === null ? '-' : durationText(ms)),
    align: 'right',
  },
  {
    title: 'MEMORY',
    text: ({ peak_memory_bytes: bytes }) => (bytes === null ? '-' : bytesText(bytes)),
    align: 'right',
  },
  { title: 'ERROR', text: ({ error }) => error ?? '' },
];

export function exitText({ exit_code: code, signal, ended_at }: AttemptAnswer): string {
  if (signal !== null) return signal;
  if (code !== null) return `code ${code}`;
  return ended_at === null ? '' : '-';
}

/** The evidence of a kill; null if no signal was sent. */
export function killOf({ evidence }: AttemptAnswer): KillSummary | null {
  const parsed = killSchema.safeParse(evidence);
  return parsed.success && parsed.data.signalCount > 0 ? parsed.data : null;
}

/** As in `stopped in 1.1 s: SIGTERM to the group, 2 × SIGKILL; 2 processes found: 7 (group), 8 (tree); none left …`. */
export function killText(kill: KillSummary): string {
  const counts = new Map<string, number>();
  for (const { signal, to } of kill.signals) {
    const name = to === 'group' ? `${signal} to the group` : signal;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const signals = [...counts].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`)).join(', ');
  const pids = kill.processes.map(({ pid, foundBy }) => `${pid} (${foundBy})`).join(', ');
  const left = kill.survivors === 0 ? 'none left' : `${kill.survivors} LEFT`;
  const time = durationText(kill.endedAt - kill.startedAt);
  return `stopped in ${time}: ${signals}; ${kill.processCount} processes found: ${pids}; ${left} after ${kill.rounds} scans`;
}
