/** What agents leave in their bucket because it is too large for a message: copied into the content store. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JetStreamClient } from '@nats-io/jetstream';
import { type ObjectStore, Objm } from '@nats-io/obj';
import type { ContentReference } from '../app/attempts/content-store.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { StoredObject } from '../contracts/messages/agent-messages.ts';
import { fileBucket } from '../contracts/messages/subjects.ts';

/** Bytes, as for files that are named by their path. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * Copies an object into `directory`, under the hash of its bytes, and takes it out of the bucket.
 * @throws SignalboxError `body_too_large`, `content_unreadable`: it is not there, or not what it was said to be
 */
export async function fetchObject(
  client: JetStreamClient,
  agent: string,
  object: StoredObject,
  directory: string,
): Promise<ContentReference> {
  if (object.size > MAX_FILE_BYTES) {
    throw new SignalboxError(
      'body_too_large',
      `object ${object.name} has ${object.size} bytes, the limit is ${MAX_FILE_BYTES}`,
    );
  }
  const store = await new Objm(client).open(fileBucket(agent), false);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = join(directory, `.${randomUUID()}`);
  try {
    await copy(store, object, temporary);
    await rename(temporary, join(directory, object.sha256));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new SignalboxError(
      'content_unreadable',
      `object ${object.name} in the bucket of agent ${agent} cannot be taken: ${messageOf(cause)}`,
      { cause },
    );
  }
  await store.delete(object.name).catch(() => {
    // It runs out by itself.
  });
  return { path: object.name, size: object.size, sha256: object.sha256 };
}

async function copy(store: ObjectStore, object: StoredObject, path: string): Promise<void> {
  const found = await store.get(object.name);
  if (found === null) throw new Error('it is not there');
  const hash = createHash('sha256');
  const target = await open(path, 'wx', 0o600);
  let size = 0;
  const reader = found.data.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
      if (size > object.size) throw new Error(`it has more than the ${object.size} bytes that were said`);
      hash.update(part.value);
      await target.write(part.value);
    }
    await target.sync();
  } finally {
    await reader.cancel().catch(() => {});
    await target.close();
  }
  const problem = await found.error;
  if (problem) throw problem;
  const sha256 = hash.digest('hex');
  if (size !== object.size || sha256 !== object.sha256) {
    throw new Error(`it has ${size} bytes with the SHA-256 ${sha256}, which is not what was said`);
  }
}
