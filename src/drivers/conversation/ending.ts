/** How a process ends that is spoken to. */
import { pause } from '../../base/time.ts';
import type { KillEvidence, ManagedProcess, ProcessIdentity } from '../../process/runner.ts';
import type { ProgramEnd } from '../program.ts';
import type { Conversation } from './conversation.ts';

/** Whether the kill, and not the process itself, has ended it. */
export function foundAlive({ processes }: KillEvidence, { pid, startTime }: ProcessIdentity): boolean {
  return processes.some((each) => each.pid === pid && each.startTime === startTime);
}

/** Asks the agent to leave off first, for half of the time, if it can be asked. */
export async function killAfterLeaving(
  process: ManagedProcess,
  conversation: Conversation | null,
  graceMs: number,
): Promise<KillEvidence> {
  const leaving = graceMs > 0 ? conversation?.cancel() : undefined;
  if (leaving === undefined) return process.kill({ graceMs });
  const limit = new AbortController();
  await Promise.race([leaving, pause(graceMs / 2, limit.signal)]);
  limit.abort();
  return process.kill({ graceMs: graceMs / 2 });
}

/** A conversation that could not go on is the reason, whatever the process did then. */
export function withFailure<End extends ProgramEnd>(read: End, failure: string | undefined): End {
  if (failure === undefined) return read;
  return { ...read, result: { kind: 'threw', error: failure }, failure, outputs: [] };
}
