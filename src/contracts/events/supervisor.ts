/** The events of the supervisor itself: its start and end, and the signatures over the log. */
import { z } from 'zod';
import { event } from './event.ts';

export const SUPERVISOR_EVENTS = [
  event({
    type: 'supervisor.started',
    moves: ['supervisor'],
    opens: 'supervisor',
    data: {
      /** The id of the writer: the prefix of all its event ids. */
      writer: z.string(),
      version: z.string(),
      host: z.string(),
      pid: z.int(),
    },
  }),
  event({ type: 'supervisor.draining', moves: ['supervisor'], data: { reason: z.string() } }),
  event({ type: 'supervisor.stopped', moves: ['supervisor'], data: { reason: z.string() } }),
  /** From here on checkpoints are signed with this key. */
  event({
    type: 'supervisor.key_introduced',
    moves: ['supervisor'],
    data: {
      /** Fingerprint: SHA-256 (hex) of the 32 bytes of the public key. */
      key: z.string(),
      /** Ed25519, the 32 bytes in base64. */
      public_key: z.string(),
      /** The key before it and the signature of that key. Both are absent for the first key, and after a loss. */
      signed_by: z.string().optional(),
      signature: z.string().optional(),
    },
  }),
  /** A signature over a part of the log, and through the hash chain over everything before it. */
  event({
    type: 'supervisor.checkpointed',
    moves: ['supervisor'],
    data: {
      /** The first and the last event that it covers. */
      from: z.int().min(1),
      sequence: z.int().min(1),
      /** SHA-256 (hex) of the bytes of the last event. */
      hash: z.string(),
      /** SHA-256 (hex) over the hashes of all events that it covers, each in hex and followed by a line feed. */
      digest: z.string(),
      key: z.string(),
      /** Ed25519, in base64. */
      signature: z.string(),
    },
  }),
] as const;
