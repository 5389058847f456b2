/** Sends a signal to the Signalbox that holds a data directory, if it runs on this machine. */
import { pino } from 'pino';
import { SignalboxError } from '../contracts/errors.ts';
import { readHolder } from '../daemon/lock-holder.ts';
import { createHost } from '../process/host/host.ts';

/** @returns its process id. @throws SignalboxError `unreachable` if none is known to run */
export async function signalHolder(dataDirectory: string, signal: NodeJS.Signals): Promise<number> {
  const host = createHost(pino({ level: 'silent' }), Date.now);
  const found = await readHolder(dataDirectory, host);
  if (found.kind === 'alive') {
    process.kill(found.holder.pid, signal);
    return found.holder.pid;
  }
  const why = found.kind === 'none' ? 'no Signalbox uses it' : found.reason;
  throw new SignalboxError('unreachable', `${dataDirectory}: ${why}`);
}
