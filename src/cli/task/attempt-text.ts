/** Attempts as text: the columns of a table, and the evidence of a kill. */
import { z } from 'zod';
import type { AttemptAnswer } from '../../contracts/api/answers.ts';
import { killText as textOfKill } from '../../contracts/processes/kill-text.ts';
import { attemptCostText } from '../../contracts/usage-text.ts';
import type { Column } from '../text/table.ts';
import { bytesText, durationText } from '../text/time.ts';
import { styleOfAttempt } from './styles.ts';

/** The part of the evidence that is used; `--json` prints all of it. */
const killSchema = z.object({
  startedAt: z.number(),
  endedAt: z.number(),
  survivors: z.union([z.number(), z.literal('unknown')]),
  containment: z.string().optional(),
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
  {
    title: 'COST',
    text: (attempt) => attemptCostText(attempt) ?? '',
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

export function killText(kill: KillSummary): string {
  return textOfKill(kill, durationText) ?? '';
}
