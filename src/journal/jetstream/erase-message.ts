/** Taking a message out of the log so that its bytes are gone from the disk too. */
import type { JetStreamManager } from '@nats-io/jetstream';
import { EVENT_STREAM } from '../../contracts/messages/subjects.ts';
import { unavailable } from '../failures.ts';

/** @throws SignalboxError `nats_unavailable` */
export async function eraseMessage(manager: JetStreamManager, sequence: number): Promise<void> {
  try {
    await manager.streams.deleteMessage(EVENT_STREAM, sequence, true);
  } catch (cause) {
    // It may be gone already: by an earlier call whose answer was lost, for example.
    if ((await isThere(manager, sequence)) !== false) {
      throw unavailable(`message ${sequence} of the log cannot be erased`, cause);
    }
  }
}

/** null where that cannot be found out. */
async function isThere(manager: JetStreamManager, sequence: number): Promise<boolean | null> {
  return manager.streams.getMessage(EVENT_STREAM, { seq: sequence }).then(
    (message) => message !== null,
    () => null,
  );
}
