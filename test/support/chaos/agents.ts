/** Agents of every kind, well-behaved and not. Each notes its start in a file of its own before it does anything. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAMS = fileURLToPath(new URL('../../fixtures/processes', import.meta.url));

/** What each of them does, as a program below test/fixtures/processes with its arguments. */
const PROGRAM_OF = {
  /** Prints its result, and is done. */
  brief: ['prints-a-lot.sh', '20'],
  /** Writes back by HTTP, and takes its time. */
  reporter: ['reports-back.sh', '0.7'],
  /** Ignores SIGTERM, and has daemons in sessions of their own, one of them without an environment. */
  deaf: ['unkillable.sh'],
  /** Leaves a process behind that has gone away into a session of its own. */
  forker: ['leaves-behind.sh', 'session'],
  /** Prints its result and stays. */
  hanging: ['hangs-after-output.sh'],
  /** Says that it failed, and exits with 0. */
  liar: ['fails-quietly.sh'],
  crashing: ['ends-by-signal.sh', 'SEGV'],
} as const;

export type AgentName = keyof typeof PROGRAM_OF;

/** Well-behaved ones come more often: what they do is worth losing. */
export const DRAW: readonly AgentName[] = [
  'brief',
  'brief',
  'reporter',
  'reporter',
  'reporter',
  'deaf',
  'forker',
  'hanging',
  'liar',
  'crashing',
];

export const LIMITS = { concurrency: 16, queue_depth: 100_000 } as const;

/** The configuration of a Signalbox with all of them. @param directory of the whole run */
export function chaosConfig(directory: string): object {
  const agents = Object.entries(PROGRAM_OF).map(([name, [program, ...rest]]) => {
    const command = ['sh', join(PROGRAMS, 'notes-itself.sh'), notesOf(directory)];
    command.push('sh', join(PROGRAMS, program), ...rest);
    return [name, { driver: 'command', command, concurrency: 6 }] as const;
  });
  return {
    data_dir: join(directory, 'data'),
    limits: LIMITS,
    defaults: {
      max_attempts: 2,
      timeout_seconds: 2,
      kill_grace_seconds: 0.3,
      backoff: { initial_seconds: 0.2, jitter: 0.5 },
      breaker: { failures: 1_000 },
    },
    agents: Object.fromEntries(agents),
  };
}

/** Where the agents of a run leave their notes. */
export function notesOf(directory: string): string {
  return join(directory, 'notes');
}
