/** What the supervisor asks of every kind of agent. */
import type { Output, TaskSpec, Usage } from '../contracts/tasks.ts';
import type { TreeEntry } from '../process/runner.ts';
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
  /** W3C trace context of this attempt, for whatever the agent calls. */
  readonly traceparent: string;
  /** What the tracers before it have noted; absent where they have not. */
  readonly tracestate: string | undefined;
  /** Milliseconds that the attempt may take, and that it gets between being asked to end and being made to. */
  readonly timeoutMs: number;
  readonly killGraceMs: number;
  /** Where the agent can write back by HTTP. */
  readonly url: string | null;
  /** The conversation to go on with; null where there is none. */
  readonly resumes: ResumedSession | null;
}

export interface ResumedSession {
  readonly session: string;
  /** The attempt in which it began: it may be bound to the directory of that one. */
  readonly attempt: number;
  /** What the attempts of this session have used, as far as it is known. */
  readonly usage: Usage;
}

export type RunResult =
  /** `ok` tells whether this code is one of a success; absent, only 0 is. */
  | { readonly kind: 'exited'; readonly code: number; readonly ok?: boolean }
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
  readonly usage?: Usage | undefined;
  /** What its own result says went wrong, whatever its exit code; absent where that is a success, or there is none. */
  readonly failure?: string | undefined;
  /** The session by which a later attempt can go on; null for one that is of no use any more. */
  readonly session?: string | null | undefined;
  /** It said that its quota is used up. Of no account where the attempt has completed. */
  readonly quota?: QuotaSign | undefined;
  readonly evidence?: Readonly<Record<string, unknown>>;
}

export interface RunStart {
  readonly host: string;
  readonly pid?: number;
  readonly startTime?: string;
  /** The session that it runs in, where that is known from the start. */
  readonly session?: string | undefined;
}

/** A run under way. */
export interface Run {
  readonly start: RunStart;
  /** Never rejects. */
  readonly ended: Promise<RunEnd>;
  /** Resolves when its result is there and it has not ended; may stay pending, never rejects. */
  readonly resulted?: Promise<void>;
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

export interface Prompting {
  /** Whether others can read the prompt, as they can every argument of a process: then the token must not be in it. */
  readonly isPublic: boolean;
  /** Whether the agent's tools see its environment; if not, the prompt has to say all that they need. */
  readonly passesEnvironment: boolean;
}

export interface Driver {
  readonly name: string;
  /** Whether the agent writes back by HTTP, so that it needs a token and a prompt. */
  readonly writesBack: boolean;
  /** Whether its runs outlive this process. */
  readonly adoptable: boolean;
  /** Whether the agent is there only while it says so itself. */
  readonly isAnnounced?: boolean;
  /** How the prompt is to be written for it. Absent, it gets the token as it is, and its tools its environment. */
  readonly prompting?: Prompting;
  /** Whether a retry can go on with the session of the attempt before it. */
  readonly resumes?: boolean;
  /** How long its process may stay after its result, in milliseconds; absent for what the agent's grace is. */
  readonly lingerMs?: number | undefined;
  /** @throws SignalboxError `spawn_failed`, with what to correct. */
  start(order: RunOrder): Promise<Run>;
  /** The attempt is to be stopped, and its `start` has not been answered yet: it is to be answered now. */
  withdraw?(attempt: Pick<RunOrder, 'project' | 'task' | 'attempt'>): void;
  /** Finds the run of an attempt that was requested before this process began. */
  adopt(order: RunOrder): Promise<Adoption>;
}
