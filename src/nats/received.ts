/** A message of an agent about its attempt, as it was received. */
import type { AttemptRef } from '../contracts/ids.ts';
import type { AttemptMessage } from '../contracts/messages/agent-messages.ts';
import type { RemoteDriver } from '../drivers/remote.ts';

export interface Received {
  readonly agent: string;
  /** Of the message. */
  readonly id: string;
  readonly message: AttemptMessage;
  /** Runs the agent's attempts, if it is a remote one. */
  readonly driver: RemoteDriver | undefined;
  /** The worker that sent it. */
  readonly worker: { readonly id: string; readonly pid?: number | undefined };
}

/** The attempt that a message is about, and the cause of the events that come of it. */
export interface Place extends AttemptRef {
  readonly cause: string;
}
