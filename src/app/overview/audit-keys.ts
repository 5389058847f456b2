/** The keys that sign checkpoints: which there were, and a new one. */

import type { Attribution } from '../../contracts/api/requests.ts';
import type { AuditKeyAnswer } from '../../contracts/api/system-answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { supervisorFilter } from '../../contracts/messages/subjects.ts';
import { readRecord } from '../../journal/codec/cloud-event.ts';
import type { AppContext, Needs } from '../context.ts';
import { deciderOf } from '../decider.ts';
import { timeOf } from '../tasks/task-json.ts';

/** In the order of their introduction; the last one is in use. @throws SignalboxError `nats_unavailable` */
export async function listAuditKeys({ log }: Needs<'log.messages'>): Promise<AuditKeyAnswer[]> {
  const keys: AuditKeyAnswer[] = [];
  for await (const message of log.messages.readByFilter(supervisorFilter('key_introduced'))) {
    const { event, time, actor, sequence } = readRecord(message);
    if (event.type !== 'supervisor.key_introduced') continue;
    const { key, public_key, signed_by = null } = event;
    keys.push({ key, public_key, signed_by, sequence, time: timeOf(time), actor });
  }
  return keys;
}

/**
 * A new key, for which the one in use vouches; checkpoints are signed with it from now on.
 * @throws SignalboxError `not_found` where nothing is signed, and what `commit` throws
 */
export async function rotateAuditKey(
  app: AppContext,
  request: Attribution,
  actor: string,
): Promise<AuditKeyAnswer[]> {
  if (app.keys === null) throw new SignalboxError('not_found', 'this Signalbox signs no checkpoints');
  app.log.assertWritable();
  await app.keys.rotate(deciderOf(request, actor));
  return listAuditKeys(app);
}
