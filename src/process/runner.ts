/**
 * The interface to processes: start, adopt, watch and kill them. It knows nothing about tasks. `host-runner.ts` implements
 * it; a simulation has its own implementation.
 */
import type { Containment } from '../contracts/processes/containment.ts';

export interface SpawnSpec {
  /** For everything about this process, readable by the owner only. Each process needs a directory of its own. */
  readonly directory: string;
  /** Program and arguments. A program without "/" is looked up in `env.PATH`. */
  readonly command: readonly string[];
  /** Absolute path of an existing directory. */
  readonly cwd: string;
  /** The complete environment; nothing is inherited. A POSIX shell passes on only names of letters, digits and "_". */
  readonly env: Readonly<Record<string, string>>;
  /** Never used twice; goes into the environment (markers.ts). Letters, digits and `_ - . : /`. */
  readonly marker: string;
  /** The file to read standard input from. Without it standard input is empty. */
  readonly stdin?: string;
  /** Whether more may follow on standard input: then the process has a {@link ManagedProcess.channel}. */
  readonly inputStays?: boolean;
  /** Cap for each of `stdout.log` and `stderr.log`; above it the newest part is kept (output-files.ts). */
  readonly maxOutputBytes: number;
}

/** Identifies a process, also against a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The system's start time of the process. Outside this module only compare it for equality. */
  readonly startTime: string;
  /** Changes with every start of the machine. Absent if the system does not tell. */
  readonly bootId?: string;
  readonly host: string;
}

/** A process by the numbers that the system gave it when it was started on this machine. */
export type KnownProcess = Pick<ProcessIdentity, 'pid' | 'startTime'>;

export type ProcessExit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  /** The system could not execute the command, for example a script whose interpreter is missing. */
  | { readonly kind: 'spawn_failed'; readonly reason: string }
  /** It is gone, and there is no record of how it ended. */
  | { readonly kind: 'lost'; readonly reason: string };

export interface ExitReport {
  readonly exit: ProcessExit;
  /** Epoch milliseconds: when the exit was recorded, or else noticed. */
  readonly endedAt: number;
  /** CPU time of the process and its children. Absent if it ended before it could be measured. */
  readonly cpuMs?: number;
  /** The highest memory use of all its processes in a sample. Absent if it ended before the first sample. */
  readonly peakMemoryBytes?: number;
  /** Bytes written, including those that the cap has dropped since this runner began to watch. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

export interface OutputBytes {
  readonly stdout: number;
  readonly stderr: number;
  /** Epoch milliseconds of the latest output. Absent if there is none yet. */
  readonly lastOutputAt?: number;
}

/** How a process was found to belong to the attempt. */
export type FoundBy = 'known' | 'marker' | 'cgroup' | 'group' | 'session' | 'descent';

export interface SentSignal {
  readonly signal: 'SIGTERM' | 'SIGCONT' | 'SIGSTOP' | 'SIGKILL';
  readonly to: 'process' | 'group' | 'cgroup' | 'namespace';
  /** Pid of the process, number of the group, pid of the agent in the cgroup, or of the first process of the namespace. */
  readonly pid: number;
  readonly at: number;
  /** The system's refusal, such as EPERM for a process of another user. */
  readonly refused?: string;
}

export interface FoundProcess {
  readonly pid: number;
  readonly startTime: string;
  /** The beginning of its command line. */
  readonly command: string;
  readonly foundBy: FoundBy;
}

/** What a kill did and what it proves. Lists hold at most 64 entries; the counts are complete. */
export interface KillEvidence {
  readonly startedAt: number;
  readonly endedAt: number;
  /** How the processes were kept together: it decides whether `survivors` can be 0. */
  readonly containment: Containment;
  /**
   * Processes that were found alive at the end. 0 is proved: by two scans of the process table in a row that found none, and
   * by the containment. `unknown`: none was found, but one that hides would not be.
   */
  readonly survivors: number | 'unknown';
  /** Scans of the process table. */
  readonly rounds: number;
  readonly signals: readonly SentSignal[];
  readonly signalCount: number;
  readonly processes: readonly FoundProcess[];
  readonly processCount: number;
}

export interface KillOptions {
  /** Time between SIGTERM and SIGKILL. 0 sends SIGKILL at once. */
  readonly graceMs: number;
}

export interface TreeEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly startTime: string;
  /** The system's letter: R, S, D, T, Z. */
  readonly state: string;
  /** The beginning of its command line. */
  readonly command: string;
  readonly cpuMs?: number;
  /** In use now; absent if the process has ended meanwhile. */
  readonly memoryBytes?: number;
  /** Milliseconds since it started. */
  readonly ageMs: number;
}

/** A process that has ended and may have left other processes behind. */
export interface EndedProcess {
  /** Absent if the attempt ended before its pid was recorded. */
  readonly identity?: ProcessIdentity;
  readonly report: ExitReport;
  /** Finds and kills what it left behind. */
  kill(options: KillOptions): Promise<KillEvidence>;
}

/** `known`: it was sent before. `refused`: the process does not take it. */
export type Sending = 'sent' | 'known' | 'refused';

/** Takes what a process prints, in order and each byte once. */
export interface OutputConsumer {
  /** The next bytes, valid during the call. */
  receive(piece: Buffer): void;
  /** Everything that was printed has been received, for now. */
  caughtUp(): void;
}

/** A conversation with a process. It outlives its supervisor: the next one reads on and knows what was sent. */
export interface Channel {
  /** Gives the consumer what was printed and is left, from its beginning, and then what is printed. Call it once. */
  read(consumer: OutputConsumer): void;
  /**
   * Resolves once the line is where the process can read it. Never rejects.
   * @param key names the message (1 to 200 of A-Z, a-z, 0-9 and `_ . : / -`): what was sent once, also by an earlier
   * supervisor, is not sent again
   * @param line without a line break
   */
  send(key: string, line: string): Promise<Sending>;
  /** The process itself says that it has this message. */
  note(key: string): void;
  wasSent(key: string): Promise<boolean>;
  /** The keys of all messages that were sent, in their order. */
  sentKeys(): Promise<readonly string[]>;
}

export interface ManagedProcess {
  readonly identity: ProcessIdentity;
  /** Number of its process group and session: the launcher's pid. */
  readonly group: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Never rejects; stays pending after {@link detach}. */
  readonly exited: Promise<ExitReport>;
  /** Present if its standard input stays open. */
  readonly channel?: Channel;
  /** As of at most one poll interval ago. */
  outputBytes(): OutputBytes;
  /**
   * Kills all processes that belong to it, and proves that none is left if its containment can; after `exited`, those that
   * it left behind. A second call joins the first and can only shorten its grace.
   */
  kill(options: KillOptions): Promise<KillEvidence>;
  /** Its living processes, launcher first. */
  tree(): Promise<readonly TreeEntry[]>;
  /** Stops watching and leaves it running, for another runner to adopt. */
  detach(): void;
}

export type ProcessAdoption =
  | { readonly kind: 'running'; readonly process: ManagedProcess }
  | { readonly kind: 'ended'; readonly process: EndedProcess }
  /** The command was not executed and never will be: a launcher that is still on its way starts nothing. */
  | { readonly kind: 'never_started'; readonly reason: string };

export interface ProcessRunner {
  /** How processes are kept together on this machine. */
  readonly containment: Containment;
  /**
   * Starts a process and resolves once the system executes its command.
   * @throws SignalboxError `spawn_failed`: the command was not executed; `details.reason` is a {@link SpawnFailure}
   */
  spawn(spec: SpawnSpec): Promise<ManagedProcess>;
  /**
   * Finds out what became of a process that an earlier runner started in `directory`, and watches it from now on. What
   * the agent could write there is believed only as far as the process table agrees.
   * @param known the process, if its start was recorded elsewhere
   * After a power failure the newest files may be missing: a caller that knows of a spawn before the last boot should
   * treat `never_started` as lost.
   * @throws SignalboxError `internal` if the directory cannot be read or written
   */
  adopt(directory: string, marker: string, known?: KnownProcess): Promise<ProcessAdoption>;
  /** Stops watching all processes and leaves them running. */
  close(): void;
}

export type SpawnFailure =
  | 'command_not_found'
  | 'not_executable'
  | 'cwd_missing'
  | 'stdin_missing'
  | 'invalid_spec'
  | 'directory_used'
  | 'system';
