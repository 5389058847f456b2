/** What the operating system knows of processes: whether one runs, and which of them belong to attempts. */
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

/** Pids of the processes of attempts whose Signalbox has its data below `directory`, found by the marker in their environment. */
export async function survivors(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.includes('SIGNALBOX_ATTEMPT_MARKER=') && environment.includes(directory)
        ? [Number(pid)]
        : [];
    }),
  );
  return found.flat();
}

/** Whether the process runs. A zombie, which has ended and was not reaped yet, does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
