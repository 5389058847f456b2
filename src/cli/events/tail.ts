import { eventJson } from '../../app/tasks/task-json.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { EVENT_TYPES } from '../../contracts/events/events.ts';
import { projectId, taskId } from '../../contracts/ids.ts';
import { subjectPartsOf } from '../../contracts/messages/subjects.ts';
import type { EventSelection } from '../../engine/replay/event-source.ts';
import { ChainCheck } from '../../engine/replay/event-source.ts';
import { lineOf } from '../../engine/replay/file-source.ts';
import type { StoredMessage } from '../../journal/journal.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { listenForInterruptions } from '../interruptions.ts';
import { type OpenLog, openLog } from '../log/open-log.ts';
import { eventLine } from '../task/event-text.ts';
import type { EventAnswer } from '../task/shapes.ts';
import type { Terminal } from '../terminal.ts';
import type { TailOptions } from './index.ts';

const DEFAULT_PROJECT = 'default';
const SEQUENCE_WIDTH = 7;

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
      const record = chain.read(message);
      if (!wanted(record.event.type)) continue;
      if (options.stored) terminal.print(lineOf(message));
      else if (options.json) terminal.print(JSON.stringify(eventJson(record)));
      else terminal.print(lineFor(terminal, eventJson(record) as unknown as EventAnswer));
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
    terminal.note('no Signalbox runs on this log: it ends here');
  return source.read(selection);
}

/** @throws SignalboxError `invalid_id`, `invalid_request` */
function selectionOf({ project, task, from }: TailOptions): EventSelection {
  if (from !== undefined && (!Number.isInteger(from) || from < 1)) {
    throw new SignalboxError('invalid_request', '--from: expected a sequence, 1 for the first event');
  }
  if (task === undefined) return project === undefined ? {} : { project: projectId(project) };
  return {
    project: projectId(project ?? (process.env.SIGNALBOX_PROJECT || DEFAULT_PROJECT)),
    task: taskId(task),
  };
}

/** A type, or the first word of several. @throws SignalboxError `invalid_request` for one that there is not */
function filterOf(names: readonly string[] | undefined): (type: string) => boolean {
  if (names === undefined) return () => true;
  const matches = (name: string, type: string): boolean => type === name || type.startsWith(`${name}.`);
  const unknown = names.find((name) => !EVENT_TYPES.some((type) => matches(name, type)));
  if (unknown !== undefined) {
    throw new SignalboxError(
      'invalid_request',
      `--type: ${JSON.stringify(unknown)} is none of ${EVENT_TYPES.join(', ')}, and begins none of them`,
    );
  }
  return (type) => names.some((name) => matches(name, type));
}

/** As in `   1234  demo/T-1  14:03:07  pending → claimed …`. */
function lineFor(terminal: Terminal, event: EventAnswer): string {
  const { project, entity, id } = subjectPartsOf(
    event.event as unknown as Parameters<typeof subjectPartsOf>[0],
  );
  const about = entity === 'task' ? `${project}/${id}` : entity === 'agent' ? `agent ${id}` : entity;
  const sequence = terminal.style('dim', String(event.sequence).padStart(SEQUENCE_WIDTH));
  return `${sequence}  ${terminal.style('bold', about)}  ${eventLine(terminal, event)}`;
}
