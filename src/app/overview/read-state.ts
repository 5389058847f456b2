/** The whole state as entries with hashes, to be compared with a rebuilt one. */

import type { ReadState } from '../../contracts/api/requests.ts';
import type { StateAnswer } from '../../contracts/api/system-answers.ts';
import { SUPERVISOR_ID } from '../../contracts/events/events.ts';
import { entriesOf } from '../../engine/replay/entries.ts';
import type { Needs } from '../context.ts';

/** A page of entries, all as they are after the event with the given sequence. */
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
