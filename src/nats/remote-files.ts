/** Files of remote attempts: large content from the agent's bucket, and what the processes print. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JetStreamClient } from '@nats-io/jetstream';
import { type ObjectStore, Objm } from '@nats-io/obj';
import { renameDurably } from '../base/files.ts';
import { createFresh, openForUpdate } from '../base/regular-files.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { StoredObject } from '../contracts/messages/agent-messages.ts';
import { fileBucket } from '../contracts/messages/subjects.ts';
import type { ContentReference, LogStream } from '../contracts/tasks.ts';
import type { TranscriptFormat } from '../contracts/transcript/schemas.ts';
import { noteFormat } from '../drivers/transcript/format-file.ts';

/** As for files that are named by their path. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** Of each stream of an attempt. */
const MAX_LOG_BYTES = 10_485_760;

/**
 * Moves an object from the bucket into `directory`, under the hash of its bytes.
 * @throws SignalboxError `body_too_large`, `content_unreadable`: it is missing, or differs from its description
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
    await renameDurably(temporary, join(directory, object.sha256));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new SignalboxError(
      'content_unreadable',
      `object ${object.name} in the bucket of agent ${agent} cannot be read: ${messageOf(cause)}`,
      { cause },
    );
  }
  await store.delete(object.name).catch(() => {
    // It expires by itself.
  });
  return { path: object.name, size: object.size, sha256: object.sha256 };
}

async function copy(store: ObjectStore, object: StoredObject, path: string): Promise<void> {
  const found = await store.get(object.name);
  if (found === null) throw new Error('it is missing');
  const hash = createHash('sha256');
  const target = await createFresh(path);
  let size = 0;
  const reader = found.data.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
      if (size > object.size) throw new Error(`it has more than the announced ${object.size} bytes`);
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
    throw new Error(`it has ${size} bytes with the SHA-256 ${sha256}, which is not what was announced`);
  }
}

export interface LogPart {
  readonly stream: LogStream;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly format?: TranscriptFormat | undefined;
}

/**
 * Writes a part of a log at its offset, beside the logs of local attempts: writing it again changes nothing. A part beyond
 * the end goes to the end, because its worker has dropped what is missing before it.
 * @param directory of the attempt
 * @throws SignalboxError `body_too_large` above the limit
 */
export async function writeLogPart(
  directory: string,
  { stream, offset, bytes, format }: LogPart,
): Promise<void> {
  if (offset + bytes.length > MAX_LOG_BYTES) {
    throw new SignalboxError('body_too_large', `${stream}: only the first ${MAX_LOG_BYTES} bytes are kept`);
  }
  const processDirectory = join(directory, 'process');
  await mkdir(processDirectory, { recursive: true, mode: 0o700 });
  if (format !== undefined) await noteFormat(directory, format);
  const path = join(processDirectory, `${stream}.log`);
  const file = await openForUpdate(path);
  try {
    const { size } = await file.stat();
    await file.write(bytes, 0, bytes.length, Math.min(offset, size));
  } finally {
    await file.close();
  }
}
