/** The interface of every kind of agent towards the supervisor. */
import type { AttemptRef } from '../contracts/ids.ts';
import type { AnswerSpec, QuestionOption, QuestionSpec } from '../contracts/questions.ts';
import type { Output, TaskSpec } from '../contracts/tasks.ts';
import type { TranscriptProof } from '../contracts/transcript/schemas.ts';
import type { ReportedUsage } from '../contracts/usage.ts';
import type { TreeEntry } from '../process/runner.ts';
import type { QuotaSign } from './quota.ts';

/** One attempt, as its driver needs it. */
export interface RunRequest extends AttemptRef {
  readonly agent: string;
  readonly spec: TaskSpec;
  /** Proves to Signalbox that a message comes from this attempt. Never in a command line, never in a log. */
  readonly token: string;
  /** Private to this attempt: prompt, captured output, exit status. */
  readonly directory: string;
  /** Where it works. Absent: where its driver says. */
  readonly workspace?: RunWorkspace | undefined;
  /** Builds the text for the agent. */
  readonly prompt: () => string;
  /** Epoch milliseconds of the claim. */
  readonly claimedAt: number;
  /** The host of `attempt.started`; null while that event is not in the log. */
  readonly startedOn: string | null;
  /** Its process, as `attempt.started` names it. Absent while that event is not in the log, or names none. */
  readonly startedAs?: { readonly pid: number; readonly startTime: string } | undefined;
  /** W3C trace context of this attempt, for requests that the agent makes. */
  readonly traceparent: string;
  /** The tracestate of the request that created the task, if there was one. */
  readonly tracestate: string | undefined;
  /** Milliseconds that the attempt may take. */
  readonly timeoutMs: number;
  /** Milliseconds between the request to end and the kill. */
  readonly killGraceMs: number;
  /** Where the agent can write back by HTTP. */
  readonly url: string | null;
  /** The session to continue; null if there is none. */
  readonly resumes: ResumedSession | null;
  /**
   * Asks a question of the agent that its driver passes on. May be called as soon as `start` or `adopt` was called; waits
   * until the start of the attempt is recorded. A question that was asked before (the same id) is not asked again, so a
   * driver that adopts a run asks whatever it finds without an answer. Its answer comes by `Run.answer`.
   * @throws SignalboxError `stale_attempt`, `too_many_questions`, `question_too_large`, `question_exists`
   */
  readonly ask: (question: RunQuestion) => Promise<void>;
  /** The run no longer waits for an answer to this question: it is cancelled, unless it has an answer. */
  readonly withdraw: (question: string) => void;
}

/** The workspace of a task, for an agent that works in it. */
export interface RunWorkspace {
  /** The directory. */
  readonly path: string;
  /** null for a reviewer, whose worktree is detached. */
  readonly branch: string | null;
  /** The branch that the work is for; null if there is none. */
  readonly target: string | null;
  /** The commit at which it began. */
  readonly base: string;
}

/** A question of a run. */
export interface RunQuestion extends Omit<QuestionSpec, 'link_sha256'> {
  /** Unique within the task, and the same whenever the question is found again. 1 to 64 of A-Z a-z 0-9 _ -. */
  readonly id: string;
}

/** The answer to a question of a run. */
export interface RunAnswer extends AnswerSpec {
  readonly question: string;
  /** The whole option that was chosen; absent if none was. */
  readonly chosen?: QuestionOption | undefined;
  /** Who answered. */
  readonly by: string;
}

/** A message of a user for a running agent. */
export interface RunMessage {
  readonly id: string;
  readonly text: string;
  readonly by: string;
}

export interface ResumedSession {
  readonly session: string;
  /** The attempt in which it began: the session may be bound to the directory of that attempt. */
  readonly attempt: number;
  /** What the attempts of this session have used, if known. */
  readonly usage: ReportedUsage;
}

export type RunResult =
  /** `ok` tells whether the code means success; if absent, only 0 does. */
  | { readonly kind: 'exited'; readonly code: number; readonly ok?: boolean }
  | { readonly kind: 'signalled'; readonly signal: string }
  /** A function returned, or a dry run is over. */
  | { readonly kind: 'returned' }
  | { readonly kind: 'threw'; readonly error: string }
  /** It is over, but how it ended is not known. */
  | { readonly kind: 'lost'; readonly reason: string };

/** How a run ended, with everything that is known about it. */
export interface RunEnd {
  readonly result: RunResult;
  /** Outputs of the run itself; they count if the agent has posted none. */
  readonly outputs: readonly Output[];
  readonly stderrTail?: string;
  /** What it printed about its failure; absent if it did not fail by itself, and for a run on another machine. */
  readonly complaint?: string;
  readonly peakMemoryBytes?: number;
  readonly cpuMs?: number;
  readonly usage?: ReportedUsage | undefined;
  /** What went wrong according to its own result, whatever its exit code; absent for a success or without a result. */
  readonly failure?: string | undefined;
  /** The session that a later attempt can continue; null for one that must not be used again. */
  readonly session?: string | null | undefined;
  /** It said that its quota is used up. Ignored if the attempt has completed. */
  readonly quota?: QuotaSign | undefined;
  readonly evidence?: Readonly<Record<string, unknown>>;
  /** What proves its transcript. A driver leaves it to the supervisor. */
  readonly transcript?: TranscriptProof | undefined;
  /** Why its last report to Signalbox failed, as its transcript says. A driver leaves that to the supervisor, too. */
  readonly refusedReport?: string | undefined;
}

export interface RunStart {
  readonly host: string;
  readonly pid?: number;
  readonly startTime?: string;
  /** The session that it runs in, if it is known from the start. */
  readonly session?: string | undefined;
}

/** A run under way. */
export interface Run {
  readonly start: RunStart;
  /** Never rejects. */
  readonly ended: Promise<RunEnd>;
  /** Resolves when it has given its result but not ended; may stay pending, never rejects. */
  readonly resulted?: Promise<void>;
  /** Epoch milliseconds of the latest sign of life: output, or the start. */
  lastSignAt(): number;
  /** Its living processes, in the order in which they started. Absent for a run without processes of its own. */
  tree?(): Promise<readonly TreeEntry[]>;
  /**
   * Called with every answer to a question of this attempt, when it is stored; after an adoption once more with all that
   * were stored before. A question may have been asked over HTTP and not by this run, and an answer may come twice:
   * ignore both. Must not throw. Absent if the run asks no questions.
   */
  answer?(answer: RunAnswer): void;
  /**
   * Passes a message of a user into the running agent. Resolves to false if that is not possible now: then the agent gets
   * it later, with an answer of Signalbox or in its next prompt. Absent for a run that takes no messages.
   */
  steer?(message: RunMessage): Promise<boolean>;
  /** Asks it to end, and kills it after `graceMs`. `ended` tells when it has ended. */
  stop(graceMs: number): void;
  /** Stops watching and leaves it running, to be adopted later. */
  detach(): void;
}

/** What became of an attempt that an earlier Signalbox had requested. */
export type Adoption =
  | { readonly kind: 'running'; readonly run: Run }
  /** `start` is null if nothing shows that it ever began. */
  | { readonly kind: 'ended'; readonly start: RunStart | null; readonly end: RunEnd }
  /** It was requested from a service that has not answered yet: `run` tells, however long that takes. */
  | { readonly kind: 'starting'; readonly run: Promise<Run> }
  /** Certain: it may be started now. */
  | { readonly kind: 'never_started' };

/** Thrown by `start`: no worker has begun the attempt, so it does not count as one of the task's attempts. */
export class NotBegun extends Error {}

export interface Prompting {
  /** Whether others can read the prompt, as they can read every argument of a process: then it must not hold the token. */
  readonly isPublic: boolean;
  /** Whether the agent's tools see its environment; if not, the prompt has to contain everything that they need. */
  readonly passesEnvironment: boolean;
}

export interface Driver {
  readonly name: string;
  /** Whether the agent writes back by HTTP, so that it needs a token and a prompt. */
  readonly writesBack: boolean;
  /** The directory that its agents work in; absent: each attempt has one of its own. */
  readonly cwd?: string | undefined;
  /** Whether its agents work in the workspace of a task, if there is one. Absent: they do not. */
  readonly takesWorkspace?: boolean;
  /** The start of its runs, if it is certain as soon as the attempt is claimed: it is recorded with the claim. */
  readonly startsWithClaim?: RunStart;
  /** Whether its runs survive the end of this process. */
  readonly adoptable: boolean;
  /** Whether the agent is available only while it reports so itself. */
  readonly isAnnounced?: boolean;
  /** How its prompt is written. If absent, the prompt holds the token, and its tools see its environment. */
  readonly prompting?: Prompting;
  /** Whether a retry can continue the session of the attempt before it. */
  readonly resumes?: boolean;
  /** Milliseconds that its process may stay after its result; if absent, the agent's grace. */
  readonly lingerMs?: number | undefined;
  /** @throws SignalboxError `spawn_failed`, with what to correct; NotBegun */
  start(request: RunRequest): Promise<Run> | Run;
  /** Called if the attempt is to be stopped while its `start` is pending: `start` has to settle at once. */
  withdraw?(attempt: AttemptRef): void;
  /** Finds the run of an attempt that was requested before this process started. Waits for nothing outside this machine. */
  adopt(request: RunRequest): Promise<Adoption>;
  /** Signalbox stops: nothing that this driver waits for may keep the process alive. Pending starts may stay pending. */
  close?(): void;
}
