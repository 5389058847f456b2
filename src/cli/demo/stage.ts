/** What the demo plays on: a Signalbox of its own, with the agents of examples/demo.config.yaml. */
import { delimiter, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { loadConfig } from '../../config/load-config.ts';
import type { SignalboxConfig } from '../../config/schema/config.ts';
import { Daemon } from '../../daemon/daemon.ts';
import { locateNatsServer } from '../../daemon/embedded/program.ts';
import { PACKAGE_ROOT } from '../../version.ts';
import type { Terminal } from '../terminal.ts';

export interface Stage {
  readonly terminal: Terminal;
  readonly config: SignalboxConfig;
  readonly logger: Logger;
  /** Aborted when the demo is to end early, with the reason. */
  readonly end: AbortController;
}

/** Nothing of the caller's environment: the demo must not write into a log that is in use elsewhere. */
export async function configFor(dataDir: string): Promise<SignalboxConfig> {
  const { config } = await loadConfig({
    file: join('examples', 'demo.config.yaml'),
    cwd: PACKAGE_ROOT,
    env: {},
    overrides: { data_dir: dataDir, port: 0 },
  });
  return config;
}

/** @param http false where nobody is to be listened to */
export async function startDaemon({ terminal, logger, config, end }: Stage, http: boolean): Promise<Daemon> {
  const env = environment();
  if ((await locateNatsServer({ logger, env })) === undefined) {
    terminal.print(
      'There is no nats-server here: fetching one into the cache, once. That takes up to half a minute.',
    );
  }
  const daemon = await Daemon.start({ config, logger, http, env, onFenced: (error) => end.abort(error) });
  if (end.signal.aborted) await daemon.stop('interrupted');
  end.signal.throwIfAborted();
  return daemon;
}

/** What is started as "node" is to be the Node.js that runs this. */
function environment(): NodeJS.ProcessEnv {
  const { PATH = '', ...env } = process.env;
  return { ...env, PATH: [dirname(process.execPath), PATH].join(delimiter) };
}
