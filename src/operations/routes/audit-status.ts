/** What is proved of the log, and its verification on demand. */
import { deciderOf } from '../../app/decider.ts';
import { type AuditStatusAnswer, auditStatusSchema } from '../../contracts/api/audit-status.ts';
import { killSchema } from '../../contracts/api/requests.ts';
import { json, nothing, nowhere, type Serve } from '../operation.ts';

/** What the routes need of the audit. */
export interface AuditDesk {
  status(): AuditStatusAnswer;
  verify(by: string): AuditStatusAnswer;
}

export function serveAuditStatus(serve: Serve, desk: AuditDesk): void {
  serve({
    name: 'readAuditStatus',
    group: 'System',
    summary: 'The end of the log with its hash, the newest checkpoint, and the newest verification',
    access: 'read',
    method: 'GET',
    path: '/api/audit/status',
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: { 200: json(auditStatusSchema, 'As it is now.') },
    handle: async () => ({ status: 200, body: desk.status() }),
  });
  serve({
    name: 'verifyLog',
    group: 'System',
    summary: 'Verify the whole log, event by event; where that is under way already, it goes on',
    access: 'operate',
    method: 'POST',
    path: '/api/audit/verify',
    address: nowhere,
    query: nothing,
    body: killSchema,
    example: { by: 'ann' },
    answers: { 202: json(auditStatusSchema, 'It is under way; the status says how far it has come.') },
    handle: async ({ body, caller }) => ({
      status: 202,
      body: desk.verify(deciderOf(body, caller.actor).replace(/^user:/, '')),
    }),
  });
}
