/**
 * Redaction: erases content from the log and from the disk, and keeps the hash chain intact.
 *
 * First the redaction is recorded, with the skeleton and the hash of the erased event; then the files are removed; then
 * the message is erased. After a crash in between the next start finishes it. Replaying what is left gives the same state
 * (events/redaction-same-state).
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { TaskView } from '../../../projections/index.ts';
import type { Redact } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent, StoredRecord } from '../../contracts/events/events.ts';
import { redactedChanges } from '../../contracts/events/task-edits.ts';
import type { TaskRef } from '../../contracts/ids.ts';
import { eventsOf, readRecords } from '../../journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../journal/journal.ts';
import { readRedactions, skeletonOf } from '../../journal/redactions.ts';
import { type AppContext, deciderOf, findTask, type Needs } from '../context.ts';

/**
 * Erases content of a task: that of one event, or of all that say what is to be done. An event that was redacted before is not recorded again.
 * @throws SignalboxError `task_not_found`, `not_found` if the task has no such part, `invalid_request` if the event has
 *   no content, `nats_unavailable` if the redaction is recorded but could not be finished yet, and what `commit` throws
 */
export async function redactContent(
  app: AppContext,
  ref: TaskRef,
  request: Redact,
  actor: string,
): Promise<TaskView> {
  const { project, task } = ref;
  await findTask(app, ref);
  app.log.assertWritable();
  const history: StoredRecord[] = [];
  for await (const record of app.log.history(ref)) history.push(record);
  const sequences = sequencesOf(history, request);
  if (sequences.length === 0) {
    const { by, reason, ...part } = request;
    const [[name, number] = ['part', '']] = Object.entries(part);
    throw new SignalboxError('not_found', `task ${task} of project ${project} has no ${name} ${number}`, {
      details: { project, task, ...part },
    });
  }
  for (const sequence of sequences) {
    const message = await messageAt(app, sequence);
    const isRecorded = history.some(
      ({ event }) => event.type === 'task.redacted' && event.sequence === sequence,
    );
    if (!isRecorded) {
      const { reason } = request;
      const event = { type: 'task.redacted', project, task, reason, ...skeletonOf(message) } as const;
      // Not commitForTask: the task may have left memory.
      await app.log.commit(event, { actor: deciderOf(request, actor) });
    }
    await erase(app, message);
  }
  return findTask(app, ref);
}

/** Finishes redactions that an earlier run recorded but did not finish. */
export async function finishRedactions(app: AppContext, logger: Logger): Promise<void> {
  for await (const { sequence } of readRedactions(app.log.messages)) {
    try {
      const message = await messageAt(app, sequence);
      if (message.originalHash !== undefined) continue;
      await erase(app, message);
      logger.warn({ sequence }, 'erased a redacted event that was still in the log');
    } catch (err) {
      logger.error({ err, sequence }, 'could not erase a redacted event: its content is still in the log');
    }
  }
}

async function messageAt({ log }: Needs<'log.messages'>, sequence: number): Promise<StoredMessage> {
  for await (const message of log.messages.read({ from: sequence, to: sequence })) return message;
  throw new SignalboxError('log_corrupt', `the log has no event ${sequence}`, { details: { sequence } });
}

/** The events that have the part. What is to be done is in the creation and in the edits, which say what it was before. */
function sequencesOf(history: readonly StoredRecord[], request: Redact): readonly number[] {
  const nth = (number: number, isMeant: (event: DomainEvent) => boolean): readonly number[] =>
    history
      .filter(({ event }) => isMeant(event))
      .slice(number - 1, number)
      .map(({ sequence }) => sequence);
  if (request.description) return textsOf(history);
  if (request.output !== undefined) return nth(request.output, ({ type }) => type === 'task.output_added');
  if (request.comment !== undefined) return nth(request.comment, addsComment);
  if (request.attempt !== undefined) {
    const isEnd = (event: DomainEvent): boolean =>
      event.type === 'attempt.ended' && event.attempt === request.attempt;
    return nth(1, isEnd);
  }
  const texts = textsOf(history);
  if (texts.some((sequence) => sequence === request.event)) return texts;
  return history
    .filter(({ sequence }) => sequence === request.event)
    .slice(0, 1)
    .map(({ sequence }) => sequence);
}

function textsOf(history: readonly StoredRecord[]): readonly number[] {
  return history.flatMap(({ event, sequence }) =>
    event.type === 'task.created' || (event.type === 'task.edited' && redactedChanges(event.changes) !== null)
      ? [sequence]
      : [],
  );
}

function addsComment(event: DomainEvent): boolean {
  return event.type === 'task.comment_added' || ('comment' in event && event.comment !== undefined);
}

/** Files first: only the message names them. */
async function erase(app: AppContext, message: StoredMessage): Promise<void> {
  if (message.originalHash !== undefined) return;
  for (const event of eventsOf(readRecords(message))) await removeFiles(app, event);
  await app.log.dropSnapshots();
  await app.log.messages.erase(message.sequence);
}

async function removeFiles(app: AppContext, event: DomainEvent): Promise<void> {
  if (event.type === 'task.output_added' && event.output.content_file !== undefined) {
    const { sha256 } = event.output.content_file;
    if (!isShown(app, sha256)) await rm(join(app.settings.directories.content, sha256), { force: true });
  }
  if (event.type === 'attempt.ended') {
    const { project, task, attempt } = event;
    const directory = join(app.settings.directories.attempts, project, task, String(attempt));
    await rm(directory, { recursive: true, force: true });
  }
}

/** Whether another output uses the file: equal contents are stored once. */
function isShown({ state }: Needs<'state.projections'>, sha256: string): boolean {
  for (const { outputs } of state.projections.blackboard.tasks.values()) {
    if (outputs.some(({ content_file: file }) => file?.sha256 === sha256)) return true;
  }
  return false;
}
