/** Outputs that are too large for a message go into the agent's bucket of the object store. */
import { createHash } from 'node:crypto';
import { type ObjectStore, Objm } from '@nats-io/obj';
import type { RemoteOutput } from '../contracts/messages/agent-messages.ts';
import { fileBucket } from '../contracts/messages/subjects.ts';
import type { JobOutput } from './job-run.ts';
import type { Line } from './line.ts';

/** Bytes of content that go into a message as they are. */
const INLINE_BYTES = 128 * 1_024;
const RETRY_MS = 1_000;

export class Files {
  readonly #line: Line;
  readonly #agent: string;
  readonly #newName: () => string;
  #bucket: Promise<ObjectStore> | null = null;

  constructor(line: Line, agent: string, newName: () => string) {
    this.#line = line;
    this.#agent = agent;
    this.#newName = newName;
  }

  /** The output as it is sent. Tries on while the store cannot be reached; rejects when the line is closed. */
  async outputOf({ outputType = 'other', title, content, summary }: JobOutput): Promise<RemoteOutput> {
    const bytes = Buffer.from(content);
    if (bytes.length <= INLINE_BYTES) return { outputType, title, content, summary };
    const object = {
      name: this.#newName(),
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
    for (;;) {
      try {
        await this.#put(object.name, bytes);
        return { outputType, title, object, summary };
      } catch (error) {
        if (this.#line.closed.aborted) throw error;
        this.#bucket = null;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #put(name: string, bytes: Uint8Array): Promise<void> {
    this.#bucket ??= new Objm(this.#line.client).open(fileBucket(this.#agent), false);
    await (await this.#bucket).putBlob({ name }, bytes);
  }
}
