/** The state as a whole, cut into entries with hashes: for who has rebuilt it and wants to compare. */

import type { StateAnswer } from '../../contracts/api/answers.ts';
import type { ReadState } from '../../contracts/api/requests.ts';
import { SUPERVISOR_ID } from '../../contracts/events/events.ts';
import { entriesOf } from '../../engine/replay/entries.ts';
import type { Needs } from '../context.ts';

/** Some of the entries, all of them as they were after the event with the sequence that is said. */
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
