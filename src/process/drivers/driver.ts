/** What the supervisor asks of every kind of agent. */
import type { Output, TaskSpec, Usage } from '../../contracts/tasks.ts';
import type { TreeEntry } from '../runner.ts';
import type { QuotaSign } from './quota.ts';

/** One attempt, as a driver needs to know it. */
export interface RunOrder {
  readonly project: string;
  readonly task: string;
  readonly attempt: number;
  readonly agent: string;
  readonly spec: TaskSpec;
  /** Proves to Signalbox that a word comes from this attempt. Never in a command line, never in a log. */
  readonly token: string;
  /** Private to this attempt: prompt, captured output, exit status. */
  readonly directory: string;
  /** Builds the text for the agent. */
  readonly prompt: () => string;
  /** Epoch milliseconds of the claim. */
  readonly claimedAt: number;
  /** The host of `attempt.started`; null while that is not in the log. */
  readonly startedOn: string | null;
  /** Milliseconds that the attempt may take, and that it gets between being asked to end and being made to. */
  readonly timeoutMs: number;
  readonly killGraceMs: number;
  /** Where the agent can write back by HTTP. */
  readonly url: string | null;
}

export type RunResult =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  /** A function returned, or a dry run was over. */
  | { readonly kind: 'returned' }
  | { readonly kind: 'threw'; readonly error: string }
  /** It is over, and nobody can say how. */
  | { readonly kind: 'lost'; readonly reason: string };

/** How a run ended, with all that was seen of it. */
export interface RunEnd {
  readonly result: RunResult;
  /** What the run itself brought; counts where the agent has posted no output by its own. */
  readonly outputs: readonly Output[];
  readonly stderrTail?: string;
  readonly peakMemoryBytes?: number;
  readonly cpuMs?: number;
  readonly usage?: Usage;
  /** It said that its quota is used up. Of no account where the attempt has completed. */
  readonly quota?: QuotaSign | undefined;
  readonly evidence?: Readonly<Record<string, unknown>>;
}

export interface RunStart {
  readonly host: string;
  readonly pid?: number;
  readonly startTime?: string;
}

/** A run under way. */
export interface Run {
  readonly start: RunStart;
  /** Never rejects. */
  readonly ended: Promise<RunEnd>;
  /** Epoch milliseconds of the newest sign of life: output, or the start. */
  lastSignAt(): number;
  /** Its living processes, the first started first. Absent for a run that has no processes of its own. */
  tree?(): Promise<readonly TreeEntry[]>;
  /** Asks it to end, and makes it after `graceMs`. `ended` tells when it has. */
  stop(graceMs: number): void;
  /** Stops watching and leaves it running, to be adopted later. */
  detach(): void;
}

/** What became of an attempt that an earlier Signalbox had requested. */
export type Adoption =
  | { readonly kind: 'running'; readonly run: Run }
  /** `start` is null where nothing shows that it ever began. */
  | { readonly kind: 'ended'; readonly start: RunStart | null; readonly end: RunEnd }
  /** Certain: it may be started now. */
  | { readonly kind: 'never_started' };

export interface Driver {
  readonly name: string;
  /** Whether the agent writes back by HTTP, so that it needs a token and a prompt. */
  readonly writesBack: boolean;
  /** Whether its runs outlive this process. */
  readonly adoptable: boolean;
  /** Whether the agent is there only while it says so itself. */
  readonly isAnnounced?: boolean;
  /** @throws SignalboxError `spawn_failed`, with what to correct. */
  start(order: RunOrder): Promise<Run>;
  /** The attempt is to be stopped, and its `start` has not been answered yet: it is to be answered now. */
  withdraw?(attempt: Pick<RunOrder, 'project' | 'task' | 'attempt'>): void;
  /** Finds the run of an attempt that was requested before this process began. */
  adopt(order: RunOrder): Promise<Adoption>;
}
