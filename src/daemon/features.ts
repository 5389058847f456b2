/** The features beside the engine: event feed, webhooks, traces, background commands, audit, tokens of users. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppContext } from '../app/context.ts';
import { EventFeed, type FeedEvent } from '../app/events/event-feed.ts';
import { answerLinkFor } from '../app/questions/answer-link.ts';
import { accessFiles } from '../config/derived.ts';
import type { AnswerLink } from '../contracts/api/answer-links.ts';
import { Audit } from '../features/audit/audit.ts';
import { Background } from '../features/background/background.ts';
import { telemetrySettings } from '../features/telemetry/settings.ts';
import { Webhooks } from '../features/webhooks/webhooks.ts';
import { People } from '../operations/access/people.ts';
import type { Cleanup } from './cleanup.ts';
import type { DaemonOptions } from './daemon.ts';

export interface StartedFeatures {
  readonly feed: EventFeed;
  readonly webhooks: Webhooks;
  readonly background: Background;
  readonly audit: Audit;
  readonly people: People;
}

/** @throws SignalboxError `config_invalid` */
export async function startFeatures(
  options: Pick<DaemonOptions, 'config' | 'env' | 'logger'> & {
    /** Where Signalbox is reached; null as long as it does not listen. */
    readonly url: () => string | null;
  },
  app: AppContext,
  dataDirectory: string,
  cleanup: Cleanup,
): Promise<StartedFeatures> {
  const { config, env, logger } = options;
  const feed = new EventFeed(app);
  const directory = join(dataDirectory, 'webhooks');
  const linkOf = (event: FeedEvent): AnswerLink | null => answerLinkFor(app, event, options.url());
  const configs = config.webhooks;
  const webhooks = await Webhooks.start({ configs, app, feed, linkOf, directory, env, logger });
  cleanup.add('the webhooks', () => webhooks.stop());
  await startTelemetry(options, app, feed, dataDirectory, cleanup);
  const background = await Background.open(app, join(dataDirectory, 'background'));
  cleanup.add('the background commands', async () => background.close());
  const audit = await Audit.open({
    app,
    dataDirectory,
    logger,
    watch: {
      eventsPerSecond: config.verification.events_per_second,
      pauseMs: config.verification.pause_seconds * 1_000,
    },
  });
  cleanup.add('the audit', () => audit.close());
  const people = await People.open(accessFiles(config), logger, () => performance.now());
  return { feed, webhooks, background, audit, people };
}

/** If traces are off, no module of them is loaded, and events of this time are never exported. */
async function startTelemetry(
  { config, env, logger }: Pick<DaemonOptions, 'config' | 'env' | 'logger'>,
  app: AppContext,
  feed: EventFeed,
  dataDirectory: string,
  cleanup: Cleanup,
): Promise<void> {
  const settings = telemetrySettings(config.telemetry, env);
  const file = join(dataDirectory, 'telemetry', 'position.json');
  if (!settings) return rm(file, { force: true });
  const { Telemetry } = await import('../features/telemetry/telemetry.ts');
  const options = { settings, app, feed, file, logger: logger.child({ component: 'telemetry' }) };
  const telemetry = await Telemetry.start(options);
  cleanup.add('the traces', () => telemetry.stop());
}
