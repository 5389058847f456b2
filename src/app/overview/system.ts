/** Signalbox itself: its whole state, its machines, and the keys that sign checkpoints. */

import { graphOf } from '../../../machines/graph.ts';
import { MACHINES } from '../../../machines/index.ts';
import type { MachineGraphAnswer } from '../../contracts/api/machines.ts';
import type { Attribution, ReadState } from '../../contracts/api/requests.ts';
import type { AuditKeyAnswer, StateAnswer } from '../../contracts/api/system-answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { ENTITY_KINDS, SUPERVISOR_ID } from '../../contracts/events/events.ts';
import { supervisorFilter } from '../../contracts/messages/subjects.ts';
import { entriesOf } from '../../engine/replay/entries.ts';
import { recordsOf } from '../../journal/codec/cloud-event.ts';
import { type AppContext, deciderOf, type Needs } from '../context.ts';
import { timeOf } from '../tasks/task-json.ts';

/** A page of the state after the event with this sequence: entries with hashes, to compare with a rebuilt state. */
export function readState(
  { state: { projections, host, retention } }: Needs<'state'>,
  page: ReadState,
): StateAnswer {
  const { entries, next } = entriesOf(projections, page);
  return {
    sequence: projections.sequence,
    writer: host.get('supervisor', SUPERVISOR_ID)?.context.writer ?? '',
    forgotten: retention.forgotten,
    entries: [...entries],
    next,
  };
}

/** The state machines as graphs. */
export function listMachines(): MachineGraphAnswer[] {
  return ENTITY_KINDS.map((name) => ({ name, ...graphOf(MACHINES[name]) }));
}

/** The keys in the order of their introduction; the last one is in use. @throws SignalboxError `nats_unavailable` */
export async function listAuditKeys({ log }: Needs<'log.messages'>): Promise<AuditKeyAnswer[]> {
  const keys: AuditKeyAnswer[] = [];
  const messages = log.messages.readByFilter(supervisorFilter('key_introduced'));
  for await (const { event, time, actor, sequence } of recordsOf(messages)) {
    if (event.type !== 'supervisor.key_introduced') continue;
    const { key, public_key, signed_by = null } = event;
    keys.push({ key, public_key, signed_by, sequence, time: timeOf(time), actor });
  }
  return keys;
}

/**
 * A new key, for which the one in use vouches; checkpoints are signed with it from now on.
 * @throws SignalboxError `not_found` if nothing is signed, and what `commit` throws
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
