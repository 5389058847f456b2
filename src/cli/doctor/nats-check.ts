/** The NATS server of the event log. */
import { pino } from 'pino';
import { messageOf } from '../../contracts/errors.ts';
import {
  compareVersions,
  findExecutable,
  locateNatsServer,
  type ProgramOrigin,
  RECOMMENDED_SERVER,
} from '../../daemon/embedded/program.ts';
import { isServerGiven } from '../../daemon/nats-address.ts';
import { DURABILITY, FULL_PAYLOAD_BYTES, type NatsLink, openNatsLink } from '../../daemon/nats-link.ts';
import { type Check, type CheckContext, type Finding, fail, ok, warn } from './finding.ts';
import { checkSharedAccount } from './shared-account.ts';

const silent = pino({ level: 'silent' });

const ORIGINS: Readonly<Record<ProgramOrigin, string>> = {
  configured: 'from the configuration',
  path: 'in the PATH',
  cache: 'in the cache',
  fetched: 'just downloaded',
};

export const checkNats: Check = async (context) => {
  const { sync } = context.config.nats;
  if (isServerGiven(context.config))
    return [...(await checkServer(context)), ok('durability', DURABILITY.external)];
  return [...(await checkProgram(context)), ok('durability', `${sync}: ${DURABILITY[sync]}`)];
};

async function checkProgram({ config, env }: CheckContext): Promise<Finding[]> {
  try {
    const program = await locateNatsServer({ logger: silent, env, configured: config.nats.program });
    if (program !== undefined) {
      const { path, version, origin } = program;
      return [judge('nats-server', version, `${path}, ${ORIGINS[origin]}`)];
    }
  } catch (error) {
    return [fail('nats-server', messageOf(error), 'fix nats.program or SIGNALBOX_NATS_SERVER')];
  }
  const install =
    '"apt-get install nats-server", "brew install nats-server", or https://github.com/nats-io/nats-server/releases';
  const canFetch = (await findExecutable('apt-get', env)) && (await findExecutable('dpkg-deb', env));
  return canFetch
    ? [
        warn(
          'nats-server',
          'not installed: "up" will download it with apt into its cache',
          `to avoid that, install it: ${install}`,
        ),
      ]
    : [
        fail(
          'nats-server',
          'not installed, and cannot be downloaded without apt-get and dpkg-deb',
          `install it: ${install}`,
        ),
      ];
}

async function checkServer({ config, env }: CheckContext): Promise<Finding[]> {
  try {
    const link = await openNatsLink({ config, logger: silent, env });
    const payload = judgePayload(link);
    const users = await checkSharedAccount(config, link).finally(() => link.close());
    return [judge('nats', link.version, `answers at ${link.url}`), payload, ...users];
  } catch (error) {
    return [fail('nats', messageOf(error), 'start the server, or fix its address')];
  }
}

/** A server that takes too little for any event was refused when it was connected to. */
function judgePayload({ connection }: NatsLink): Finding {
  const bytes = connection.info?.max_payload ?? FULL_PAYLOAD_BYTES;
  if (bytes >= FULL_PAYLOAD_BYTES) return ok('max_payload', `${bytes} bytes`);
  return warn(
    'max_payload',
    `${bytes} bytes: long texts in events are cut, and larger messages of agents are refused by the server`,
    `set max_payload to ${FULL_PAYLOAD_BYTES} or more in the configuration of the server and of the account`,
  );
}

function judge(check: string, version: string, where: string): Finding {
  if (compareVersions(version, RECOMMENDED_SERVER) >= 0) return ok(check, `${version} (${where})`);
  return warn(
    check,
    `${version} (${where}) works, but has bugs that are fixed in later versions, and does not support sync_interval`,
    `use ${RECOMMENDED_SERVER} or newer`,
  );
}
