/** What an engine is put together from. */
import type { Logger } from 'pino';
import type { Environment } from '../../base/environment.ts';
import type { SignalboxError } from '../../contracts/errors.ts';
import type { LogEntry } from '../../engine/runtime/commit-pipeline.ts';
import type { ReadAhead } from '../../engine/runtime/read-ahead.ts';
import type { RetentionLimits } from '../../engine/runtime/retention.ts';
import type { SnapshotStore } from '../../engine/runtime/snapshot-store.ts';
import type { AgentDefinition } from '../../engine/supervisor/agent-roster.ts';
import type { PromptBuilders } from '../../engine/supervisor/prompts/prompt-builders.ts';
import type { Journal, JournalHandlers, Tip } from '../../journal/journal.ts';
import type { LogReader } from '../../journal/redactions.ts';
import type { CheckpointKeys, Settings, TaskDefaults } from '../context.ts';

export interface EngineLimits {
  /** Attempts that may be open at the same time, of all agents together. */
  readonly concurrency: number;
  /** The same for each project. */
  readonly projectConcurrency: number;
  /** Tasks waiting to be run, from which on new ones are refused. */
  readonly queueDepth: number;
  /** Events that may wait for the log before new commands are refused. */
  readonly backlog: number;
  /** Largest event in bytes that the log takes. */
  readonly maxEventBytes: number;
}

export interface EngineOptions {
  readonly openJournal: (handlers: JournalHandlers<LogEntry>) => Promise<Journal<LogEntry>>;
  readonly agents: readonly AgentDefinition[];
  readonly environment: Environment;
  readonly logger: Logger;
  readonly dataDirectory: string;
  /** Secret of this data directory, from which attempt tokens are derived. */
  readonly secret: string;
  readonly version: string;
  /** This writer's id: new at each start, and the prefix of its event ids. */
  readonly writer: string;
  /** Where agents write back to, asked for at each start of an attempt; null while nobody listens. */
  readonly url: () => string | null;
  readonly defaults: TaskDefaults;
  readonly reviewOf: Settings['reviewOf'];
  /** Prompts that projects build themselves; absent where there are none. */
  readonly prompts?: PromptBuilders;
  readonly limits: EngineLimits;
  /** Which settled tasks stay in memory. */
  readonly retention: RetentionLimits;
  /** Where snapshots are kept, and after how many events one is taken; null for none. */
  readonly snapshots: { readonly store: SnapshotStore; readonly every: number } | null;
  /** Reads a long log ahead; null or absent where that cannot be done. */
  readonly readAhead?: ReadAhead | null;
  /**
   * Called when the log is read, before it is taken over: a standby waits here for its turn, and calls `follow` from
   * time to time to read what has come meanwhile.
   */
  readonly awaitTurn?: (follow: () => Promise<void>) => Promise<void>;
  /** The key that signs checkpoints; without it there are none. */
  readonly keys?: CheckpointKeys;
  /** Looks at the log before it is written to. @throws SignalboxError to refuse it */
  readonly inspect?: (log: LogReader, tip: Tip) => Promise<void>;
  /** Told of every event that the log has stored. */
  readonly onStored?: (tip: Tip) => void;
  /** The log is lost to this process; nothing is decided any more. */
  readonly onFenced: (error: SignalboxError) => void;
}
