/** Audit: the keys that sign the log, the newest checkpoint, and verification on demand. */
import { z } from 'zod';
import { nameOf } from '../../contracts/actors.ts';
import { auditStatusSchema } from '../../contracts/api/audit-status.ts';
import { attributionSchema } from '../../contracts/api/requests.ts';
import { auditKeySchema } from '../../contracts/api/system-answers.ts';
import { COMMITS } from '../errors.ts';
import { json, NO_INPUT, operation } from '../operation.ts';

const keysSchema = z.strictObject({ keys: z.array(auditKeySchema) });

export const listAuditKeys = operation({
  name: 'listAuditKeys',
  group: 'System',
  summary: 'List the keys that sign checkpoints of the log, the current one last',
  access: 'read',
  http: { method: 'GET', path: '/api/audit/keys' },
  input: NO_INPUT,
  answers: { 200: json(keysSchema, 'The keys.') },
  errors: ['nats_unavailable'],
  handle: async ({ auditKeys }) => ({ keys: await auditKeys.list() }),
});

export const rotateAuditKey = operation({
  name: 'rotateAuditKey',
  group: 'System',
  summary: 'Replace the signing key with a new one, signed by the current key',
  access: 'operate',
  http: { method: 'POST', path: '/api/audit/keys/rotate' },
  input: { ...NO_INPUT, body: attributionSchema },
  example: { by: 'ann' },
  answers: { 200: json(keysSchema, 'The keys, the new one last.') },
  errors: [...COMMITS, 'not_found', 'nats_unavailable'],
  handle: async ({ auditKeys }, { body, caller }) => ({ keys: await auditKeys.rotate(body, caller.actor) }),
});

export const readAuditStatus = operation({
  name: 'readAuditStatus',
  group: 'System',
  summary: 'Read the end of the log with its hash, the newest checkpoint, and the newest verification',
  access: 'read',
  http: { method: 'GET', path: '/api/audit/status' },
  input: NO_INPUT,
  answers: { 200: json(auditStatusSchema, 'The status.') },
  needs: 'audit',
  handle: ({ audit }) => audit.status(),
});

export const verifyLog = operation({
  name: 'verifyLog',
  group: 'System',
  summary: 'Verify the whole log in the background; a verification that is running continues',
  access: 'operate',
  http: { method: 'POST', path: '/api/audit/verify' },
  input: { ...NO_INPUT, body: attributionSchema },
  example: { by: 'ann' },
  answers: { 202: json(auditStatusSchema, 'The verification is running; the status shows its progress.') },
  needs: 'audit',
  handle: ({ audit, decisions }, { body, caller }) =>
    audit.verify(nameOf(decisions.speakerOf(body, caller.actor))),
});
