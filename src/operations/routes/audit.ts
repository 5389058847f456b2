/** The keys that sign the log. */
import { z } from 'zod';
import type { AppContext } from '../../app/context.ts';
import { listAuditKeys, rotateAuditKey } from '../../app/overview/audit-keys.ts';
import { auditKeySchema } from '../../contracts/api/answers.ts';
import { killSchema } from '../../contracts/api/requests.ts';
import { json, nothing, nowhere, type Serve } from '../operation.ts';
import { COMMITS } from '../refusals.ts';
import { AUDIT_KEYS } from './paths.ts';

const keysSchema = z.strictObject({ keys: z.array(auditKeySchema) });

export function serveAudit(serve: Serve, app: AppContext): void {
  serve({
    name: 'listAuditKeys',
    group: 'System',
    summary: 'The keys that sign checkpoints of the log, the last one in use',
    access: 'read',
    method: 'GET',
    path: AUDIT_KEYS,
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: { 200: json(keysSchema, 'The keys.') },
    refusals: ['nats_unavailable'],
    handle: async () => ({ status: 200, body: { keys: await listAuditKeys(app) } }),
  });
  serve({
    name: 'rotateAuditKey',
    group: 'System',
    summary: 'Sign with a new key, for which the one in use vouches',
    access: 'operate',
    method: 'POST',
    path: `${AUDIT_KEYS}/rotate`,
    address: nowhere,
    query: nothing,
    body: killSchema,
    example: { by: 'ann' },
    answers: { 200: json(keysSchema, 'The keys, the new one last.') },
    refusals: [...COMMITS, 'not_found', 'nats_unavailable'],
    handle: async ({ body, caller }) => ({
      status: 200,
      body: { keys: await rotateAuditKey(app, body, caller.actor) },
    }),
  });
}
