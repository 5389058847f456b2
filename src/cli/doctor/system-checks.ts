/** The machine: Node.js, the operating system, and the tools that guard the NATS server. */

import { layoutOf } from '../../daemon/embedded/layout.ts';
import { compareVersions } from '../../daemon/embedded/program.ts';
import { findGuard } from '../../daemon/embedded/running.ts';
import { isServerGiven } from '../../daemon/nats-address.ts';
import { SUPPORTED_PLATFORMS } from '../platform.ts';
import { type Check, type Finding, fail, ok, warn } from './finding.ts';

/** As package.json demands it. */
const OLDEST_NODE = '20.19.0';

export const checkNode: Check = async () => {
  const { node } = process.versions;
  if (compareVersions(node, OLDEST_NODE) >= 0) return [ok('node', node)];
  return [fail('node', `${node} is too old`, `install Node.js ${OLDEST_NODE} or newer`)];
};

export const checkPlatform: Check = async () => {
  const { platform, arch } = process;
  const name = `${platform} ${arch}`;
  if (platform === 'linux') return [ok('platform', name)];
  if (!SUPPORTED_PLATFORMS.includes(platform)) {
    return [
      fail('platform', `${name} is not supported`, 'run Signalbox on Linux or macOS; on Windows in WSL 2'),
    ];
  }
  return [
    warn(
      'platform',
      `${name}: processes that leave their group and session are not found by their environment, and a NATS server may outlive a Signalbox that was killed`,
      'fine for trying it out; run production on Linux',
    ),
  ];
};

export const checkGuards: Check = async ({ config, env }) => {
  if (process.platform !== 'linux' || isServerGiven(config)) return [];
  const { command, locks } = await findGuard(layoutOf(config.data_dir), env);
  const findings: Finding[] = [];
  const install = 'install util-linux';
  if (!locks)
    findings.push(
      warn('flock', 'is missing: two servers on one store are kept apart by their pid file only', install),
    );
  if (!command.some((word) => word.endsWith('setpriv'))) {
    findings.push(
      warn('setpriv', 'is missing: a Signalbox that is killed leaves its NATS server behind', install),
    );
  }
  return findings.length > 0 ? findings : [ok('guards', 'flock and setpriv are there')];
};
