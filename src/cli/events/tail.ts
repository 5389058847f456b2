/** Prints events of the log. */
import { eventJson } from '../../app/tasks/task-json.ts';
import { printable } from '../../base/text/printable.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { EVENT_TYPES, type StoredRecord } from '../../contracts/events/events.ts';
import { checkedProject, checkedTask, taskKey } from '../../contracts/ids.ts';
import { subjectPartsOf } from '../../contracts/messages/subjects.ts';
import { ChainCheck, type EventSelection } from '../../engine/replay/event-source.ts';
import { lineOf } from '../../engine/replay/file-source.ts';
import { readRecords } from '../../journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../journal/journal.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { listenForInterruptions } from '../interruptions.ts';
import { type OpenLog, openLog } from '../open-log.ts';
import type { SourceOptions } from '../options.ts';
import { eventLine } from '../task/event-text.ts';
import type { Terminal } from '../terminal.ts';
import { pad } from '../text/width.ts';

export interface TailOptions extends SourceOptions {
  readonly from?: number;
  readonly project?: string;
  readonly task?: string;
  readonly type?: readonly string[];
  readonly follow: boolean;
  readonly stored?: true;
}

const DEFAULT_PROJECT = 'default';
const SEQUENCE_WIDTH = 7;
const ABOUT_WIDTH = 16;

export async function tailEvents(terminal: Terminal, options: TailOptions): Promise<void> {
  const selection = selectionOf(options);
  const wanted = filterOf(options.type);
  const end = new AbortController();
  const interruptions = listenForInterruptions((count) => {
    end.abort();
    if (count > 1) process.exit(EXIT_CODES.interrupted.code);
  });
  terminal.onReaderGone(() => end.abort());
  try {
    await using log = await openLog(options);
    const from = options.from ?? (await log.source.lastSequence()) + 1;
    const chain = new ChainCheck(from - 1);
    for await (const message of messagesOf(terminal, log, { ...selection, from }, options, end.signal)) {
      if (end.signal.aborted) return;
      const records = chain.read(message).filter(({ event }) => wanted(event.type));
      if (options.stored) {
        if (records.length > 0) terminal.print(lineOf(message));
        continue;
      }
      for (const record of records)
        terminal.print(options.json ? JSON.stringify(eventJson(record)) : lineFor(terminal, record));
    }
  } finally {
    interruptions.close();
  }
}

function messagesOf(
  terminal: Terminal,
  { source, live }: OpenLog,
  selection: EventSelection,
  { follow, file, bundle }: TailOptions,
  signal: AbortSignal,
): AsyncIterable<StoredMessage> {
  if (follow && live !== null) return live.follow(selection, signal);
  if (follow && file === undefined && bundle === undefined)
    terminal.note('no Signalbox is running on this log: no new events will follow');
  return source.read(selection);
}

/** @throws SignalboxError `invalid_id`, `invalid_request` */
function selectionOf({ project, task, from }: TailOptions): EventSelection {
  if (from !== undefined && (!Number.isInteger(from) || from < 1)) {
    throw new SignalboxError('invalid_request', '--from: expected a sequence number; the first event is 1');
  }
  if (task === undefined) return project === undefined ? {} : { project: checkedProject(project) };
  return {
    ...checkedTask({ project: project ?? (process.env.SIGNALBOX_PROJECT || DEFAULT_PROJECT), task }),
  };
}

/** Types, or their first words. @throws SignalboxError `invalid_request` for an unknown one */
function filterOf(names: readonly string[] | undefined): (type: string) => boolean {
  if (names === undefined) return () => true;
  const matches = (name: string, type: string): boolean => type === name || type.startsWith(`${name}.`);
  const unknown = names.find((name) => !EVENT_TYPES.some((type) => matches(name, type)));
  if (unknown !== undefined) {
    throw new SignalboxError(
      'invalid_request',
      `--type: ${JSON.stringify(unknown)} is not an event type, nor the first word of one: ${EVENT_TYPES.join(', ')}`,
    );
  }
  return (type) => names.some((name) => matches(name, type));
}

/** As in `   1234  demo/T-1  14:03:07  pending → claimed …`. */
function lineFor(terminal: Terminal, record: StoredRecord): string {
  const { project, entity, id } = subjectPartsOf(record.event);
  const about =
    entity === 'task' ? taskKey({ project, task: id }) : entity === 'agent' ? `agent ${id}` : entity;
  const sequence = terminal.style('dim', String(record.sequence).padStart(SEQUENCE_WIDTH));
  return `${sequence}  ${terminal.style('bold', pad(about, ABOUT_WIDTH))}  ${eventLine(terminal, eventJson(record))}`;
}

/** One event with all its fields, and those that were stored with it. @throws SignalboxError `no_such_moment` */
export async function showEvent(terminal: Terminal, sequence: number, options: SourceOptions): Promise<void> {
  if (!Number.isInteger(sequence) || sequence < 1) {
    throw new SignalboxError('invalid_request', 'expected the sequence number of an event; the first is 1');
  }
  await using log = await openLog(options);
  for await (const message of log.source.read({ from: sequence, to: sequence })) {
    for (const record of readRecords(message)) {
      const whole = {
        ...eventJson(record),
        subject: message.subject,
        previous_hash: record.previousHash,
      };
      const json = JSON.stringify(whole, null, 2);
      terminal.print(options.json ? json : printable(json));
    }
    return;
  }
  const last = await log.source.lastSequence();
  throw new SignalboxError(
    'no_such_moment',
    `there is no event ${sequence}: ${log.source.name} ${last === 0 ? 'is empty' : `ends with ${last}`}`,
  );
}
