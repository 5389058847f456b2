/** Of an answer with a part of a log. As in `src/contracts/api/answers.ts`, which is not brought here with all its schemas. */
import type { LOG_HEADERS as ServerHeaders } from '../../src/contracts/api/answers.ts';

export const LOG_HEADERS: typeof ServerHeaders = {
  offset: 'signalbox-offset',
  nextOffset: 'signalbox-next-offset',
  complete: 'signalbox-complete',
};
