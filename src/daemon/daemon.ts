/**
 * A running Signalbox: started by stages (start.ts), stopped in the reverse order. The NATS server stops last, so that
 * everything that ends can still be recorded.
 */
import type { Logger } from 'pino';
import type { AppContext } from '../app/context.ts';
import type { Engine } from '../app/engine/engine.ts';
import { deferred } from '../base/deferred.ts';
import type { Environment } from '../base/environment.ts';
import { withLimit } from '../base/time.ts';
import type { SignalboxConfig } from '../config/schema/config.ts';
import type { HealthReport } from '../contracts/api/system-answers.ts';
import type { SignalboxError } from '../contracts/errors.ts';
import { parseAttemptKey, taskKey } from '../contracts/ids.ts';
import type { FunctionHandler } from '../drivers/function.ts';
import { Cleanup } from './cleanup.ts';
import type { NatsLink } from './nats-link.ts';
import { planReload, type Reload } from './reload.ts';
import { type AgentsInForce, type Started, startStages } from './start.ts';

export interface DaemonOptions {
  readonly config: SignalboxConfig;
  readonly logger: Logger;
  readonly functions?: Readonly<Record<string, FunctionHandler>>;
  /** The environment variables of Signalbox itself. */
  readonly env: NodeJS.ProcessEnv;
  readonly environment?: Environment;
  /** false: no HTTP server, so agents cannot write back by HTTP. */
  readonly http?: boolean;
  /** Makes this process a standby: it waits while another Signalbox writes the log. Called when it starts waiting. */
  readonly standby?: () => void;
  /** Called when this process has lost the log: it decides nothing more and has to be stopped. */
  readonly onFenced: (error: SignalboxError) => void;
}

/** Milliseconds that the end of an agent may take beyond its own grace when all are killed. */
const KILL_MARGIN_MS = 5_000;

export class Daemon {
  readonly engine: Engine;
  readonly nats: NatsLink;
  /** The URL of the HTTP server; null if there is none. */
  readonly url: string | null;
  readonly health: () => HealthReport;
  readonly #options: DaemonOptions;
  readonly #cleanup: Cleanup;
  /** Aborted when another Signalbox has taken over. */
  readonly #replaced: AbortSignal;
  readonly #hurry = deferred();
  #stopping: Promise<void> | null = null;

  readonly #agents: AgentsInForce;

  private constructor(options: DaemonOptions, cleanup: Cleanup, started: Started) {
    const { engine, nats, url, replaced, health, agents } = started;
    this.#agents = agents;
    this.health = health;
    this.engine = engine;
    this.nats = nats;
    this.url = url;
    this.#options = options;
    this.#cleanup = cleanup;
    this.#replaced = replaced;
  }

  /** @throws SignalboxError if a stage fails; the earlier stages are undone then */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const cleanup = new Cleanup(options.logger);
    try {
      return new Daemon(options, cleanup, await startStages(options, cleanup));
    } catch (error) {
      await cleanup.run();
      throw error;
    }
  }

  /**
   * Takes over the agents of a changed configuration, and says what has changed. Running attempts are not touched.
   * @throws SignalboxError `config_invalid`; then nothing has changed
   */
  reload(config: SignalboxConfig): Reload {
    const open = [...this.engine.host.ids('attempt')].map((key) => taskKey(parseAttemptKey(key)));
    const { tasks } = this.engine.projections.blackboard;
    const busy = new Set(open.map((key) => tasks.get(key)?.agent));
    const before = this.#agents.config;
    const reload = planReload(before, config, (agent) => busy.has(agent));
    const { roster } = this.app.supervision;
    // An agent that has not changed keeps its driver, with its connections.
    const agents = this.#agents.define(reload.config).map((agent) => {
      const isSame = before.agents[agent.id] === reload.config.agents[agent.id];
      return (isSame ? roster.get(agent.id) : undefined) ?? agent;
    });
    this.engine.supervisor.replaceAgents(agents);
    this.#agents.config = reload.config;
    return reload;
  }

  get app(): AppContext {
    return this.engine.app;
  }

  /**
   * Drains and stops. Running agents are left running, to be adopted by the next start, or killed, as configured;
   * functions, which cannot be left running, get `drain_seconds` to finish. A second call stops the waiting.
   */
  async stop(reason: string): Promise<void> {
    if (this.#stopping) this.#hurry.resolve();
    this.#stopping ??= this.#stop(reason);
    await this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    const { agents, drain_seconds } = this.#options.config.shutdown;
    if (this.app.log.damage) return this.#stopUnrecorded(reason);
    // Without the log no end can be recorded: the agents belong to the new writer.
    if (this.#replaced.aborted || this.engine.journalState.kind === 'fenced') return this.#end(reason);
    this.engine.drain(reason);
    await this.#whenIdle(agents === 'kill' ? 'all' : 'unadoptable', drain_seconds * 1_000);
    if (agents === 'kill') {
      this.engine.supervisor.stopAll();
      await this.#whenIdle('all', this.#killLimitMs());
    }
    await this.#end(reason);
  }

  /** With a damaged log: ends the agents, if that is configured, and records nothing. */
  async #stopUnrecorded(reason: string): Promise<void> {
    const { supervisor } = this.engine;
    supervisor.drain();
    if (this.#options.config.shutdown.agents === 'kill') {
      supervisor.stopAll();
      const ended = Promise.race([supervisor.attempts.whenNoneRuns(), this.#hurry.promise]);
      await withLimit(ended, this.#killLimitMs(), () => {});
    }
    await this.#end(reason);
  }

  /** Milliseconds within which all agents have ended after they were told to. */
  #killLimitMs(): number {
    const graces = [...this.app.supervision.roster.all()].map(({ killGraceMs }) => killGraceMs);
    return Math.max(0, ...graces) + KILL_MARGIN_MS;
  }

  async #end(reason: string): Promise<void> {
    await this.#cleanup.run();
    this.#options.logger.info({ reason }, 'stopped');
  }

  /** Resolves when these attempts have ended, when the time is over, or when `stop` is called again. */
  async #whenIdle(attempts: 'all' | 'unadoptable', limitMs: number): Promise<void> {
    await withLimit(Promise.race([this.engine.whenIdle(attempts), this.#hurry.promise]), limitMs, () => {});
  }
}
