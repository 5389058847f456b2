/** What a simulated agent does in one attempt. Times are milliseconds after its process began. */
import type { ReportedUsage } from '../../../src/contracts/usage.ts';
import type { RunResult } from '../../../src/drivers/driver.ts';

/** Something that the agent says to Signalbox with its token. */
export interface Word {
  readonly atMs: number;
  readonly say:
    | 'working'
    | 'heartbeat'
    | 'output'
    | 'review'
    | 'failed'
    | 'blocked'
    | 'comment'
    | 'ask'
    | 'poll'
    | 'withdraw';
  /** Of the question that it asks, asks for, or withdraws. Without one, each question has its own. */
  readonly question?: string;
  /** For a question: when it expires, and then its default applies. */
  readonly expiresMs?: number;
}

export interface Script {
  /** How long the start takes; the process begins halfway. */
  readonly startMs: number;
  /** The start throws this instead. */
  readonly startError?: string;
  /** How long it takes to find out what became of it after a restart. */
  readonly adoptMs: number;
  /** null: it hangs until it is stopped. */
  readonly runsMs: number | null;
  readonly result: RunResult;
  /** What it brings when it ends well. */
  readonly outputs: readonly string[];
  readonly usage?: ReportedUsage;
  /** It says that its quota is used up, for so long. */
  readonly quotaMs?: number;
  readonly printsAt: readonly number[];
  readonly words: readonly Word[];
  /** How long it goes on after it was asked to end; it is killed when the grace is over. */
  readonly stopMs: number;
}

const PLAIN: Script = {
  startMs: 10,
  adoptMs: 10,
  runsMs: 1_000,
  result: { kind: 'exited', code: 0 },
  outputs: ['a result'],
  printsAt: [],
  words: [],
  stopMs: 100,
};

/** An agent that works for a second and exits well, but for what is given. */
export function script(changes: Partial<Script> = {}): Script {
  return { ...PLAIN, ...changes };
}

/** Asks, and asks for the answer again and again, until the given time after its start. */
export function asksAndPolls(question: string, atMs: number, everyMs: number, untilMs: number): Word[] {
  const words: Word[] = [{ atMs, say: 'ask', question }];
  for (let at = atMs + everyMs; at <= untilMs; at += everyMs) words.push({ atMs: at, say: 'poll', question });
  return words;
}

export const scripts = {
  succeeds: (afterMs = 1_000): Script => script({ runsMs: afterMs }),
  fails: (afterMs = 1_000, code = 1): Script =>
    script({ runsMs: afterMs, result: { kind: 'exited', code }, outputs: [] }),
  hangs: (printsAt: readonly number[] = []): Script => script({ runsMs: null, outputs: [], printsAt }),
  throwsAtStart: (error = 'no such program'): Script => script({ startError: error }),
  dies: (afterMs = 1_000): Script =>
    script({ runsMs: afterMs, result: { kind: 'signalled', signal: 'SIGSEGV' }, outputs: [] }),
  /** Gives its result and does not exit. */
  lingers: (resultAtMs = 500): Script =>
    script({
      runsMs: null,
      outputs: [],
      words: [
        { atMs: resultAtMs, say: 'output' },
        { atMs: resultAtMs + 50, say: 'review' },
      ],
    }),
  says: (say: Word['say'], atMs = 500, runsMs: number | null = 1_000): Script =>
    script({ runsMs, outputs: [], words: [{ atMs, say }] }),
} as const;
