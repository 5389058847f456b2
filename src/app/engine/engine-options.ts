/** The options of an engine. */
import type { Logger } from 'pino';
import type { Environment } from '../../base/environment.ts';
import type { SignalboxError } from '../../contracts/errors.ts';
import type { Prices } from '../../contracts/prices.ts';
import type { LogEntry } from '../../engine/runtime/commit-pipeline.ts';
import type { ReadAhead } from '../../engine/runtime/recover.ts';
import type { RetentionLimits } from '../../engine/runtime/retention.ts';
import type { SnapshotStore } from '../../engine/runtime/snapshot-store.ts';
import type { AgentDefinition } from '../../engine/supervisor/agent-roster.ts';
import type { PromptBuilders } from '../../engine/supervisor/prompts/prompt-facts.ts';
import type { Journal, JournalHandlers } from '../../journal/journal.ts';
import type { Workspaces } from '../../workspaces/workspaces.ts';
import type { CheckpointKeys, Settings, TaskDefaults } from '../context.ts';

export interface EngineLimits {
  /** Attempts that may be open at the same time, of all agents together. */
  readonly concurrency: number;
  /** The same for each project. */
  readonly projectConcurrency: number;
  /** The number of waiting tasks at which new ones are refused. */
  readonly queueDepth: number;
  /** The number of events that wait for the log at which new commands are refused. */
  readonly backlog: number;
  /** The largest event in bytes that the log accepts. */
  readonly maxEventBytes: number;
}

export interface EngineOptions {
  readonly openJournal: (handlers: JournalHandlers<LogEntry>) => Promise<Journal<LogEntry>>;
  readonly agents: readonly AgentDefinition[];
  /** Makes the workspaces of tasks; null, or absent: no agent has them. */
  readonly workspaces?: Workspaces | null;
  readonly environment: Environment;
  readonly logger: Logger;
  readonly dataDirectory: string;
  /** Secret of this data directory, from which attempt tokens are derived. */
  readonly secret: string;
  readonly version: string;
  /** Id of this writer: new at each start, and the prefix of its event ids. */
  readonly writer: string;
  /** The URL at which agents reach Signalbox, read at each start of an attempt; null if nothing listens. */
  readonly url: () => string | null;
  readonly defaults: TaskDefaults;
  readonly reviewOf: Settings['reviewOf'];
  /** Default: there are none. */
  readonly templates?: Settings['templates'];
  /** What keeps this process from working, for example a lost data directory; null, or absent: nothing. */
  readonly obstacle?: () => string | null;
  readonly prompts?: PromptBuilders;
  /** Prices of models, for costs that agents do not report. */
  readonly prices?: Prices;
  /** Whether outputs that are too large for an event are kept in files. Default: true. */
  readonly storesContent?: boolean;
  readonly limits: EngineLimits;
  readonly retention: RetentionLimits;
  /** The store of snapshots, and after how many events one is taken; null for no snapshots. */
  readonly snapshots: { readonly store: SnapshotStore; readonly every: number } | null;
  readonly readAhead?: ReadAhead | null;
  /** The keys that sign checkpoints; without them there are no checkpoints. */
  readonly keys?: CheckpointKeys;
  /**
   * Called when this process has lost the log: it decides nothing more. Not called for a damaged log (`log.damage`):
   * nothing is written to it either, but what runs is still supervised.
   */
  readonly onFenced: (error: SignalboxError) => void;
}
