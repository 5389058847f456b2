/** Traces, where somebody has said where to send them. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AppContext } from '../app/context.ts';
import type { EventFeed } from '../app/events/event-feed.ts';
import type { SignalboxConfig } from '../config/schema/config.ts';
import { telemetrySettings } from '../features/telemetry/settings.ts';
import type { Telemetry } from '../features/telemetry/telemetry.ts';

export interface TracingOptions {
  readonly config: SignalboxConfig;
  readonly env: NodeJS.ProcessEnv;
  readonly app: AppContext;
  readonly feed: EventFeed;
  readonly dataDirectory: string;
  readonly logger: Logger;
}

/**
 * null where traces are off: then nothing of them is loaded, and nothing is owed for this time.
 * @throws SignalboxError `config_invalid`
 */
export async function startTelemetry(options: TracingOptions): Promise<Telemetry | null> {
  const { config, env, app, feed, dataDirectory, logger } = options;
  const settings = telemetrySettings(config.telemetry, env);
  const file = join(dataDirectory, 'telemetry', 'position.json');
  if (!settings) {
    await rm(file, { force: true });
    return null;
  }
  const { Telemetry } = await import('../features/telemetry/telemetry.ts');
  return Telemetry.start({ settings, app, feed, file, logger: logger.child({ component: 'telemetry' }) });
}
