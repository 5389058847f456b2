/** Files that a Signalbox or its NATS server would have removed, had it not been killed. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lstatIfThere, namesIn } from '../../daemon/embedded/files.ts';
import { layoutOf } from '../../daemon/embedded/layout.ts';
import { readPid } from '../../daemon/embedded/running.ts';
import type { Host } from '../../process/host/host.ts';
import { isAlive } from '../../process/host/process-table.ts';
import { type CheckContext, type Finding, ok, warn } from './finding.ts';

const CHECK = 'stale files';
/** A copy that takes longer is none that is under way. */
const TEMPORARY_MS = 86_400_000;

export async function checkStaleFiles(
  { config, repair }: CheckContext,
  host: Host,
): Promise<readonly Finding[]> {
  const found = await Promise.all([
    serverFiles(config.data_dir, host),
    temporaryFiles(config.data_dir, host),
  ]);
  const files = found.flat();
  if (files.length === 0) return [ok(CHECK, 'none')];
  const list = files.join('\n');
  if (!repair) return [warn(CHECK, list, 'they do no harm; "doctor --repair" removes them')];
  for (const file of files) await rm(file, { force: true });
  return [ok(CHECK, `removed:\n${list}`)];
}

/** Of an embedded NATS server that is gone. A pid that is in use again counts as alive. */
async function serverFiles(dataDirectory: string, host: Host): Promise<string[]> {
  const layout = layoutOf(dataDirectory);
  const isGone = (pid: number): boolean => !isAlive(host.table.lookup(pid));
  const ports = (await namesIn(layout.runDir)).filter((name) => {
    const [, pid] = /_(\d+)\.ports$/.exec(name) ?? [];
    return pid !== undefined && isGone(Number(pid));
  });
  const server = await readPid(layout);
  const stale = ports.map((name) => join(layout.runDir, name));
  return server !== undefined && isGone(server) ? [...stale, layout.pidFile] : stale;
}

/** Of captured files whose copy was broken off. */
async function temporaryFiles(dataDirectory: string, host: Host): Promise<string[]> {
  const directory = join(dataDirectory, 'content');
  const stale: string[] = [];
  for (const name of await namesIn(directory)) {
    if (!name.startsWith('.')) continue;
    const file = join(directory, name);
    const info = await lstatIfThere(file);
    if (info?.isFile() && info.mtimeMs < host.now() - TEMPORARY_MS) stale.push(file);
  }
  return stale;
}
