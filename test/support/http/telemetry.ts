/** An engine that exports its traces to a collector. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { EventFeed } from '../../../src/app/events/event-feed.ts';
import type { TelemetrySettings } from '../../../src/features/telemetry/settings.ts';
import { Telemetry, type TelemetryLimits } from '../../../src/features/telemetry/telemetry.ts';
import { type EngineSettings, silentLogger, startEngine, type TestEngine } from '../engine.ts';
import { MemoryLog } from '../memory-journal.ts';

const FAST: Partial<TelemetryLimits> = { intervalMs: 10, retryMs: 10, maxRetryMs: 40 };

export class TracedEngine implements AsyncDisposable {
  readonly test: TestEngine;
  readonly telemetry: Telemetry;

  constructor(test: TestEngine, telemetry: Telemetry) {
    this.test = test;
    this.telemetry = telemetry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.telemetry.stop();
    await this.test[Symbol.asyncDispose]();
  }
}

interface TracedSettings extends Partial<TelemetrySettings> {
  readonly logger?: Logger;
  readonly limits?: Partial<TelemetryLimits>;
}

/** A data directory and a log that outlive an engine. */
export class TracedWorld implements AsyncDisposable {
  readonly log = new MemoryLog();
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(): Promise<TracedWorld> {
    return new TracedWorld(await mkdtemp(join(tmpdir(), 'signalbox-telemetry-')));
  }

  get file(): string {
    return join(this.directory, 'telemetry', 'position.json');
  }

  async start(
    url: string,
    engine: EngineSettings,
    { logger = silentLogger, limits, ...settings }: TracedSettings = {},
  ): Promise<TracedEngine> {
    const test = await startEngine(engine, this.log);
    const feed = new EventFeed(test.app);
    const telemetry = await Telemetry.start({
      settings: { url: `${url}/v1/traces`, headers: {}, serviceName: 'signalbox', resource: {}, ...settings },
      app: test.app,
      feed,
      file: this.file,
      logger,
      limits: { ...FAST, ...limits },
    });
    return new TracedEngine(test, telemetry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
