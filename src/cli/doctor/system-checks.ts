/** Checks of the machine: Node.js, operating system, tools, data directory, and a running Signalbox or its port. */

import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { SignalboxClient } from '../../client/client.ts';
import { type HealthReport, healthReportSchema } from '../../contracts/api/system-answers.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { CONTAINMENT_TEXTS } from '../../contracts/processes/containment.ts';
import { layoutOf } from '../../daemon/embedded/layout.ts';
import { compareVersions } from '../../daemon/embedded/program.ts';
import { findGuard } from '../../daemon/embedded/running.ts';
import { isServerGiven } from '../../daemon/nats-address.ts';
import { readDamageNote } from '../../features/audit/log-watch.ts';
import { containerFor } from '../../process/containment/container.ts';
import { SUPPORTED_PLATFORMS } from '../platform.ts';
import { bytesText } from '../text/time.ts';
import { type Check, type Finding, fail, ok, warn } from './finding.ts';

/** As in package.json. */
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
      `${name}: processes that leave their process group and session cannot be found, and the NATS server may keep running after Signalbox was killed`,
      'good enough to try it out; use Linux in production',
    ),
  ];
};

export const checkContainment: Check = async ({ config }) => {
  try {
    const { container, missing } = containerFor(config.containment);
    const reasons = missing.map(({ kind, why }) => `\n${kind} is not possible: ${why}`).join('');
    const text = `${container.kind}: ${CONTAINMENT_TEXTS[container.kind]}${reasons}`;
    if (container.kind !== 'search') return [ok('containment', text)];
    return [warn('containment', text, 'run agents on Linux with perl, or give Signalbox a cgroup')];
  } catch (error) {
    return [fail('containment', messageOf(error), 'change "containment" in the configuration')];
  }
};

export const checkGuards: Check = async ({ config, env }) => {
  if (process.platform !== 'linux' || isServerGiven(config)) return [];
  const { command, locks } = await findGuard(layoutOf(config.data_dir), env);
  const findings: Finding[] = [];
  const install = 'install util-linux';
  if (!locks)
    findings.push(
      warn('flock', 'is missing: only a pid file prevents two servers from using one store', install),
    );
  if (!command.some((word) => word.endsWith('setpriv'))) {
    findings.push(
      warn('setpriv', 'is missing: the NATS server keeps running after Signalbox was killed', install),
    );
  }
  return findings.length > 0 ? findings : [ok('guards', 'flock and setpriv are installed')];
};

const LOW_BYTES = 1_000_000_000;
const CRITICAL_BYTES = 50_000_000;

export const checkData: Check = async ({ config }) => {
  const path = config.data_dir;
  try {
    const existing = await nearest(path);
    await access(existing, constants.W_OK | constants.X_OK);
    const note = existing === path ? '' : ' (will be created)';
    return [ok('data directory', `${path}${note}`), await checkSpace(existing)];
  } catch (error) {
    const advice = 'make it writable for this user, or use another one with --data-dir or SIGNALBOX_DATA_DIR';
    return [fail('data directory', `${path} cannot be used: ${messageOf(error)}`, advice)];
  }
};

/** The directory itself, or the nearest existing one above it. */
async function nearest(path: string): Promise<string> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (info === null) return nearest(dirname(path));
  if (!info.isDirectory()) throw new Error(`${path} is not a directory`);
  return path;
}

async function checkSpace(path: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const detail = `${bytesText(free)} free`;
  const advice = 'free space, or use a data directory on another disk';
  if (free < CRITICAL_BYTES) return fail('disk', detail, advice);
  return free < LOW_BYTES ? warn('disk', detail, advice) : ok('disk', detail);
}

const TIMEOUT_MS = 5_000;

export const checkServer: Check = async ({ config, url }) => {
  try {
    const client = new SignalboxClient({ url, timeoutMs: TIMEOUT_MS, retry: { retries: 0 } });
    return judge(url, await client.readHealth());
  } catch (error) {
    const isAbsent = error instanceof SignalboxError && error.code === 'unreachable';
    if (!isAbsent) return [fail('signalbox', messageOf(error), 'fix --url or SIGNALBOX_URL')];
    const { host, port } = config.server;
    return [ok('signalbox', `not running at ${url}`), await checkPort(host, port)];
  }
};

function judge(url: string, answer: unknown): Finding[] {
  const parsed = healthReportSchema.safeParse(answer);
  if (!parsed.success) {
    const detail = `what answers at ${url} is not a Signalbox of this version`;
    return [warn('signalbox', detail, 'restart it, or fix --url')];
  }
  const { version, ready, reason, log, budgets } = parsed.data;
  const detail = `${version} runs at ${url}; event log ${log.state} at ${log.sequence} (${log.durability})`;
  const others = [judgeLog(log.integrity), ...budgets.map(judgeBudget)];
  if (ready) return [ok('signalbox', detail), ...others];
  return [fail('signalbox', `${detail}; not ready: ${reason}`, 'see its log output'), ...others];
}

function judgeBudget({ id, status, until }: HealthReport['budgets'][number]): Finding {
  const what = status === 'exhausted' ? 'is used up: it holds back attempts' : 'is nearly used up';
  const advice = `"signalbox budget ls" says how much is used; "signalbox budget raise ${id}" raises it for this period`;
  return warn('budget', `${id} ${what} until ${until}`, advice);
}

const RESTORE = 'stop Signalbox, restore the log from a backup, and start it again: docs/how-to/audit.md';

function judgeLog({ finding, passed_at, verified, total }: HealthReport['log']['integrity']): Finding {
  if (finding !== null) return fail('event log', finding.message, RESTORE);
  const whole = passed_at === null ? 'not yet' : `last at ${passed_at}`;
  return ok('event log', `complete; verified as a whole ${whole}, at event ${verified} of ${total} now`);
}

/** The damage that an earlier Signalbox has noted; a running one reports it itself. */
export const checkLog: Check = async ({ config }) => {
  try {
    const note = await readDamageNote(config.data_dir);
    return note === null ? [] : [fail('event log', `found at ${note.found_at}: ${note.message}`, RESTORE)];
  } catch (error) {
    return [fail('event log', `its damage is noted, and cannot be read: ${messageOf(error)}`, RESTORE)];
  }
};

async function checkPort(host: string, port: number): Promise<Finding> {
  const problem = await new Promise<Error | null>((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
  if (problem === null) return ok('port', port === 0 ? 'any free port' : `${host}:${port} is free`);
  return fail('port', `cannot listen on ${host}:${port}: ${problem.message}`, 'use another port with --port');
}
