/** The keys that sign the log. */
import { listAuditKeys, rotateAuditKey } from '../../app/audit-keys.ts';
import type { AppContext } from '../../app/context.ts';
import { killSchema } from '../../contracts/requests.ts';
import { operatorOf } from '../credentials.ts';
import { nothing, nowhere, type Serve } from '../operation.ts';
import { AUDIT_KEYS } from './paths.ts';

export function serveAudit(serve: Serve, app: AppContext): void {
  serve({
    method: 'GET',
    path: AUDIT_KEYS,
    address: nowhere,
    query: nothing,
    body: nothing,
    handle: async () => ({ status: 200, body: { keys: await listAuditKeys(app) } }),
  });
  serve({
    method: 'POST',
    path: `${AUDIT_KEYS}/rotate`,
    address: nowhere,
    query: nothing,
    body: killSchema,
    handle: async ({ body, headers }) => {
      const keys = await rotateAuditKey(app, body, operatorOf(headers.authorization));
      return { status: 200, body: { keys } };
    },
  });
}
