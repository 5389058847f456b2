/** The embedded server of a data directory, as another process of this machine finds it. */
import { type Credentials, loadCredentials } from './credentials.ts';
import { lstatIfThere, readIfThere } from './files.ts';
import { runningServer } from './guard.ts';
import { layoutOf } from './layout.ts';

export interface RunningServer extends Credentials {
  /** `nats://127.0.0.1:<port>`, without credentials. */
  readonly url: string;
}

/** Whether a log may be there: the embedded server has kept something in this data directory. */
export async function hasStore(dataDir: string): Promise<boolean> {
  return (await lstatIfThere(layoutOf(dataDir).storeDir)) !== undefined;
}

/** Undefined where none runs, or none has told its port yet. @throws SignalboxError `nats_unavailable` */
export async function findRunningServer(dataDir: string): Promise<RunningServer | undefined> {
  const layout = layoutOf(dataDir);
  if ((await runningServer(layout)) === undefined) return undefined;
  const port = Number.parseInt((await readIfThere(layout.portFile)) ?? '', 10);
  if (!(port > 0)) return undefined;
  return { url: `nats://127.0.0.1:${port}`, ...(await loadCredentials(layout.credentialsFile)) };
}
