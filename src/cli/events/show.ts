import { eventJson } from '../../app/tasks/task-json.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { readRecord } from '../../engine/runtime/rebuild.ts';
import type { SourceOptions } from '../log/log-options.ts';
import { openLog } from '../log/open-log.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';

/** One event with all that the log says of it. @throws SignalboxError `no_such_moment` */
export async function showEvent(terminal: Terminal, sequence: number, options: SourceOptions): Promise<void> {
  if (!Number.isInteger(sequence) || sequence < 1) {
    throw new SignalboxError('invalid_request', 'expected the sequence of an event, 1 for the first');
  }
  await using log = await openLog(options);
  for await (const message of log.source.read({ from: sequence, to: sequence })) {
    const record = readRecord(message);
    const whole = {
      ...eventJson(record),
      subject: message.subject,
      previous_hash: record.previousHash,
    };
    const json = JSON.stringify(whole, null, 2);
    terminal.print(options.json ? json : printable(json));
    return;
  }
  const last = await log.source.lastSequence();
  throw new SignalboxError(
    'no_such_moment',
    `there is no event ${sequence}: ${log.source.name} ${last === 0 ? 'is empty' : `ends with ${last}`}`,
  );
}
