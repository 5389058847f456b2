/** The connection to NATS: to the embedded server, or to the one that the configuration names. */
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { SignalboxConfig } from '../config/schema/config.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { EVENT_STREAM } from '../contracts/messages/subjects.ts';
import { obtainNatsServer } from './embedded/obtain.ts';
import { type EmbeddedServer, startEmbeddedServer } from './embedded/server.ts';
import { StreamSync } from './embedded/stream-sync.ts';
import { connectTo, type GivenServer, givenServer, type NatsAddress } from './nats-address.ts';

export interface NatsLink {
  readonly connection: NatsConnection;
  /** For further connections to the same server. */
  readonly address: NatsAddress;
  /** null if the server is not embedded. */
  readonly embedded: EmbeddedServer | null;
  readonly url: string;
  readonly version: string;
  readonly durability: string;
  /** Forces the event stream to the disk (`nats.sync: group`); null if the server does it. */
  readonly sync: (() => Promise<void>) | null;
  close(): Promise<void>;
}

export interface NatsLinkOptions {
  readonly config: SignalboxConfig;
  readonly logger: Logger;
  readonly env: NodeJS.ProcessEnv;
}

/** What is certain of an acknowledged event, by mode of `nats.sync`, and on an external server. */
export const DURABILITY = {
  interval:
    'a crash of a process loses nothing; a power cut may lose the last second, or the last minute with a nats-server before 2.10',
  group:
    'events are synced to the disk in groups, before they count: neither a crash nor a power cut loses anything',
  always:
    'each event is synced to the disk before it is acknowledged: neither a crash nor a power cut loses anything',
  external: 'as the NATS server is configured (sync_interval, replicas)',
} as const;

/** @throws SignalboxError `config_invalid`, `nats_unavailable`, `nats_server_missing`, `log_in_use` */
export async function openNatsLink(options: NatsLinkOptions): Promise<NatsLink> {
  const given = await givenServer(options.config, options.env);
  if (given === null) return openEmbedded(options);
  if (options.config.nats.sync !== 'interval') {
    throw new SignalboxError(
      'config_invalid',
      'nats.sync is for the embedded NATS server, but another one is named: set sync_interval there, and remove nats.sync',
    );
  }
  return openExternal(given);
}

async function openEmbedded({ config, logger, env }: NatsLinkOptions): Promise<NatsLink> {
  const program = await obtainNatsServer({ logger, env, configured: config.nats.program });
  const embedded = await startEmbeddedServer({
    dataDir: config.data_dir,
    program,
    logger: logger.child({ component: 'nats-server' }),
    env,
    maxFileBytes: config.nats.max_file_bytes,
    sync: config.nats.sync === 'always' ? 'always' : '1s',
  });
  const streamSync = config.nats.sync === 'group' ? new StreamSync(embedded.storeDir, EVENT_STREAM) : null;
  try {
    const address = { servers: embedded.url, user: embedded.user, pass: embedded.password };
    const connection = await connectTo(address);
    return {
      connection,
      address,
      embedded,
      url: embedded.url,
      version: embedded.version,
      durability: DURABILITY[config.nats.sync],
      sync: streamSync && (() => streamSync.sync()),
      close: async () => {
        await connection.close();
        await streamSync?.close();
        await embedded.stop();
      },
    };
  } catch (error) {
    await embedded.stop();
    throw natsUnavailable(embedded.url, error);
  }
}

/** Below it, events of the supervisor would not fit. */
const MIN_PAYLOAD_BYTES = 32_768;
/** Below it, long texts are cut and large messages of agents are refused by the server; it is the default of nats-server. */
export const FULL_PAYLOAD_BYTES = 1_048_576;

/** @throws SignalboxError `config_invalid` */
function assertPayload(connection: NatsConnection, url: string): void {
  const bytes = connection.info?.max_payload ?? MIN_PAYLOAD_BYTES;
  if (bytes >= MIN_PAYLOAD_BYTES) return;
  throw new SignalboxError(
    'config_invalid',
    `the NATS server at ${url} takes messages of ${bytes} bytes at most, and Signalbox needs ${MIN_PAYLOAD_BYTES}: raise max_payload in the configuration of the server, or of the account`,
    { details: { max_payload: bytes, needed: MIN_PAYLOAD_BYTES } },
  );
}

async function openExternal({ address, url }: GivenServer): Promise<NatsLink> {
  try {
    const connection = await connectTo(address);
    const version = connection.info?.version ?? 'unknown';
    try {
      assertPayload(connection, url);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return {
      connection,
      address,
      embedded: null,
      url,
      version,
      durability: DURABILITY.external,
      sync: null,
      close: () => connection.close(),
    };
  } catch (error) {
    if (error instanceof SignalboxError) throw error;
    throw natsUnavailable(url, error);
  }
}

export function natsUnavailable(url: string, cause: unknown): SignalboxError {
  return new SignalboxError(
    'nats_unavailable',
    `the NATS server at ${url} cannot be used: ${messageOf(cause)}. Start it with JetStream, or name none (NATS_URL, NATS_CONTEXT, nats in the configuration) to let Signalbox run its own`,
    { cause },
  );
}
