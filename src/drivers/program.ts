/** What is particular to one kind of program that is started for an attempt. */
import type { ExitReport } from '../process/runner.ts';
import type { Prompting, RunEnd, RunOrder } from './driver.ts';

/** Where an attempt has its files. */
export interface Place {
  /** The attempt's own directory. */
  readonly directory: string;
  readonly workDirectory: string;
  readonly promptFile: string;
}

export interface Invocation {
  readonly command: readonly string[];
  /** A file to read standard input from; without it standard input is at its end at once. */
  readonly stdin?: string | undefined;
}

/** What the output of an ended process comes to. */
export type ProgramEnd = Pick<
  RunEnd,
  'result' | 'outputs' | 'failure' | 'usage' | 'session' | 'quota' | 'evidence'
> & {
  /** The run goes on elsewhere, under this name: it has to be asked for there. */
  readonly unsettled?: string | undefined;
};

export interface EndedOutput {
  /** Of the process: stdout.log, stderr.log. */
  readonly directory: string;
  readonly exit: ExitReport['exit'];
  readonly endedAt: number;
  readonly stderrTail: string;
}

export interface Program {
  readonly name: string;
  readonly prompting: Prompting;
  readonly resumes: boolean;
  readonly lingerMs?: number | undefined;
  /** The environment without what Signalbox adds. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  readonly maxOutputBytes: number;
  /** @throws SignalboxError `spawn_failed` where this prompt cannot be given to it */
  invocation(order: RunOrder, place: Place): Invocation;
  read(ended: EndedOutput, order: RunOrder): Promise<ProgramEnd>;
  /** The session that an attempt runs in, where that is known from the start. */
  sessionOf?(order: RunOrder): string | undefined;
  /** Whether its output, as far as it has come, has the result already. Absent for a program that does not tell. */
  hasResult?(directory: string): Promise<boolean>;
  /** How to find out what became of a run that goes on elsewhere. */
  readonly settling?: Settling | undefined;
}

export interface Settling {
  wait(order: RunOrder, place: Place, run: string): Invocation;
  /** null where it cannot be ended. */
  abort(order: RunOrder, place: Place, run: string): Invocation | null;
  /** null as long as it goes on, or nobody knows. */
  read(directory: string, order: RunOrder): Promise<ProgramEnd | null>;
}
