/** Outputs that are too large for a message go into the agent's bucket of the object store. */
import { type ObjectStore, Objm } from '@nats-io/obj';
import { sha256 } from '../base/hash.ts';
import { pause } from '../base/time.ts';
import type { RemoteOutput } from '../contracts/messages/agent-messages.ts';
import { fileBucket } from '../contracts/messages/subjects.ts';
import type { WorkerConnection } from './connection.ts';
import type { JobOutput } from './job-run.ts';

/** Content up to this size is sent in the message itself. */
const MAX_INLINE_BYTES = 128 * 1_024;
const RETRY_MS = 1_000;

export class Files {
  readonly #connection: WorkerConnection;
  readonly #agent: string;
  readonly #newName: () => string;
  #bucket: Promise<ObjectStore> | null = null;

  constructor(connection: WorkerConnection, agent: string, newName: () => string) {
    this.#connection = connection;
    this.#agent = agent;
    this.#newName = newName;
  }

  /** The output as it is sent. Tries again while the store cannot be reached; rejects when the connection is closed. */
  async outputOf({ outputType = 'other', title, content, summary }: JobOutput): Promise<RemoteOutput> {
    const bytes = Buffer.from(content);
    if (bytes.length <= MAX_INLINE_BYTES) return { outputType, title, content, summary };
    const object = { name: this.#newName(), size: bytes.length, sha256: sha256(bytes) };
    const { closed } = this.#connection;
    for (;;) {
      try {
        this.#bucket ??= new Objm(this.#connection.client).open(fileBucket(this.#agent), false);
        await (await this.#bucket).putBlob({ name: object.name }, bytes);
        return { outputType, title, object, summary };
      } catch (error) {
        if (closed.aborted) throw error;
        this.#bucket = null;
        await pause(RETRY_MS, closed);
      }
    }
  }
}
