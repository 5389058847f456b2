import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { fetchDebianPackage } from './debian/debian-package.ts';
import { cacheDirectory, type LocateOptions, locateNatsServer, type NatsServerProgram } from './locate.ts';
import { compareVersions, RECOMMENDED_SERVER } from './version.ts';

/**
 * The nats-server to start: one that is here (see `locateNatsServer`), else one that is fetched into the cache through
 * the system's package manager. Throws `nats_server_missing`, which says in one line what to install.
 */
export async function obtainNatsServer(options: LocateOptions): Promise<NatsServerProgram> {
  const { logger } = options;
  const found = await locateNatsServer(options);
  if (found === undefined) return fetchProgram(options);
  if (compareVersions(found.version, RECOMMENDED_SERVER) < 0) {
    logger.warn(
      { path: found.path, version: found.version, recommended: RECOMMENDED_SERVER },
      'this nats-server works, but has defects that later versions have not: a newer one is recommended',
    );
  }
  return found;
}

async function fetchProgram({ logger, env }: LocateOptions): Promise<NatsServerProgram> {
  const cacheDir = cacheDirectory(env);
  logger.info({ cacheDir }, 'no nats-server found: fetching one, which takes up to half a minute, once');
  try {
    return await fetchDebianPackage({ cacheDir, env, logger });
  } catch (cause) {
    throw new SignalboxError(
      'nats_server_missing',
      'no nats-server was found, and none could be fetched ' +
        `(${messageOf(cause).replaceAll(/\s+/g, ' ')}): install it with "apt-get install nats-server" (Debian, Ubuntu), ` +
        '"brew install nats-server" (macOS), or from https://github.com/nats-io/nats-server/releases',
      { cause },
    );
  }
}
