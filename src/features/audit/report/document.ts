/**
 * The content of a report as parts, which html.ts and markdown.ts render. Control characters are replaced; markup is
 * escaped by the renderers.
 */
import type { AttemptView, CommentView, OutputView, QuestionView } from '../../../../projections/index.ts';
import { timeOf } from '../../../app/tasks/task-json.ts';
import { figuresJson } from '../../../app/tasks/usage-json.ts';
import { printable } from '../../../base/text/printable.ts';
import { attemptCostText, costText, tokensText } from '../../../contracts/usage-text.ts';
import { changesOf, eventText, type ReportedEvent, type TaskReport, timeText } from './task-report.ts';
import type { ReportedTranscript } from './transcripts.ts';

export type Part =
  | { readonly kind: 'heading'; readonly level: 2 | 3 | 4; readonly text: string; readonly state?: string }
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [string, string])[] }
  /** `isNote` for secondary information. */
  | { readonly kind: 'paragraph'; readonly text: string; readonly isNote: boolean }
  /** Text with its line breaks. */
  | { readonly kind: 'block'; readonly text: string }
  | { readonly kind: 'bars'; readonly bars: readonly Bar[] }
  /** The last column holds hashes. */
  | {
      readonly kind: 'table';
      readonly titles: readonly string[];
      readonly rows: readonly (readonly string[])[];
    };

/** One attempt on the time axis from the creation of the task to its last event. */
export interface Bar {
  readonly attempt: number;
  readonly text: string;
  readonly state: string;
  /** In percent of the axis. */
  readonly start: number;
  readonly length: number;
}

export function reportParts(report: TaskReport): readonly Part[] {
  const { task, attempts, transcripts, questions, events } = report;
  const { spec } = task;
  const used = task.usage && figuresJson(task.usage);
  return [
    ...(spec.description === '' ? [] : [heading(2, 'Task'), block(spec.description)]),
    heading(2, 'Facts'),
    facts([
      ['Agent', task.agent ?? spec.agent],
      ['Type', spec.type],
      ['Priority', spec.priority],
      ['Review', spec.review],
      ['Attempts', `${task.attemptsUsed} of ${spec.max_attempts}`],
      ['Must have', spec.must_haves?.join('\n')],
      ['Parameters', spec.params && JSON.stringify(spec.params)],
      ['Reason', task.reason],
      ['Tokens', used && tokensText(used)],
      ['Cost', used && costText(used)],
      ['Finished', task.finishedAt && timeText(task.finishedAt)],
    ]),
    ...(questions.length === 0 ? [] : [heading(2, 'Questions'), ...questions.flatMap(questionParts)]),
    heading(2, 'Timeline'),
    attempts.length === 0 ? paragraph('No attempts.') : { kind: 'bars', bars: barsOf(report) },
    heading(2, 'Attempts'),
    ...orNone(attempts.flatMap((attempt) => attemptParts(attempt, transcripts.get(attempt.attempt)))),
    heading(2, 'Outputs'),
    ...orNone(task.outputs.flatMap(outputParts)),
    heading(2, 'Comments'),
    ...orNone(task.comments.flatMap(commentParts)),
    heading(2, 'Events'),
    eventTable(events),
  ];
}

const heading = (level: 2 | 3 | 4, text: string, state?: string): Part => ({
  kind: 'heading',
  level,
  text: printable(text),
  ...(state !== undefined && { state }),
});
const block = (text: string): Part => ({ kind: 'block', text: printable(text) });
const paragraph = (text: string, isNote = false): Part => ({
  kind: 'paragraph',
  text: printable(text),
  isNote,
});
const orNone = (parts: readonly Part[]): readonly Part[] => (parts.length > 0 ? parts : [paragraph('None.')]);

/** Leaves out rows without a value. */
function facts(rows: readonly (readonly [string, string | number | null | undefined])[]): Part {
  return {
    kind: 'facts',
    rows: rows.flatMap(([name, value]) => (value == null ? [] : [[name, printable(String(value))]])),
  };
}

function attemptParts(attempt: AttemptView, transcript: ReportedTranscript | undefined): Part[] {
  const {
    agent,
    state,
    evidence,
    stderrTail,
    transcript: proof,
    pid,
    cpuMs,
    peakMemoryBytes,
    outcome,
    usage,
    rejected,
  } = attempt;
  return [
    heading(3, `Attempt ${attempt.attempt} by ${agent}`, state),
    facts([
      ['Claimed', timeText(attempt.claimedAt)],
      ['Started', timeText(attempt.startedAt)],
      ['Ended', timeText(attempt.endedAt)],
      ['Driver', attempt.driver],
      ['Process', pid === null ? null : `${pid} on ${attempt.host ?? 'an unknown host'}`],
      ['Exit code', attempt.exitCode],
      ['Signal', attempt.signal],
      ['Stop reason', attempt.stopReason],
      ['Error', attempt.error],
      ['CPU time', cpuMs === null ? null : `${cpuMs} ms`],
      ['Peak memory', peakMemoryBytes === null ? null : `${peakMemoryBytes} bytes`],
      ['Model', usage?.model],
      ['Input tokens', usage?.input_tokens],
      ['of them cached', usage?.cache_read_tokens],
      ['written to the cache', usage?.cache_write_tokens],
      ['Output tokens', usage?.output_tokens],
      ['Cost', attemptCostText({ outcome, started_at: timeOf(attempt.startedAt), usage })],
      [
        'Transcript',
        proof &&
          `${proof.lines} lines, ${proof.bytes} bytes, format ${proof.format}, SHA-256 ${proof.sha256}`,
      ],
      ['Rejected messages', rejected.length === 0 ? null : rejected.length],
    ]),
    ...(evidence === null ? [] : [heading(4, 'Evidence'), block(JSON.stringify(evidence, null, 2))]),
    ...(stderrTail ? [heading(4, 'End of standard error'), block(stderrTail)] : []),
    ...(transcript === undefined ? [] : transcriptParts(transcript)),
  ];
}

function transcriptParts({ text, state, omitted }: ReportedTranscript): Part[] {
  const left = omitted === 0 ? '' : ` The first ${omitted} bytes are left out.`;
  return [
    heading(4, 'Transcript'),
    paragraph(`${PROOF_TEXT[state]}${left}`, true),
    ...(text === '' ? [] : [block(text)]),
  ];
}

const PROOF_TEXT = {
  proved: 'The recorded output is the one whose hash is in the log.',
  different: 'NOT PROVED: the recorded output is not the one whose hash is in the log.',
  open: 'The log has no hash of it: the attempt has not ended, or an older version recorded its end.',
} as const;

function outputParts(output: OutputView): Part[] {
  const {
    number,
    title,
    type,
    agent,
    attempt,
    time,
    sequence,
    summary,
    content,
    content_file: file,
  } = output;
  return [
    heading(3, `${number}. ${title}`),
    paragraph(`${type}, by ${agent}, attempt ${attempt ?? '–'}, ${timeText(time)}, event ${sequence}`, true),
    ...(summary === undefined ? [] : [paragraph(summary)]),
    ...(file ? [paragraph(`file ${file.path}, ${file.size} bytes, SHA-256 ${file.sha256}`, true)] : []),
    ...(content === undefined ? [] : [block(content)]),
  ];
}

/** Who allowed what, when, and what would have happened without an answer. */
function questionParts({ id, spec, agent, attempt, askedAt, sequence, answer }: QuestionView): Part[] {
  const { kind, message, about, options = [], expires_at_ms: expiresAt, default: usual } = spec;
  const input = about?.input;
  const applies = usual?.option ?? (usual?.content && JSON.stringify(usual.content)) ?? 'declined';
  return [
    heading(3, `Question ${id}`, answer?.action ?? 'open'),
    paragraph(`${kind}, by ${agent}, attempt ${attempt}, ${timeText(askedAt)}, event ${sequence}`, true),
    block(message),
    facts([
      ['Tool', about?.tool],
      ['Path', about?.path],
      ['Input', typeof input === 'string' ? input : input === undefined ? null : JSON.stringify(input)],
      ['Options', options.map((option) => option.id).join(', ') || null],
      ['Without an answer', expiresAt === undefined ? 'it waits' : `${applies} at ${timeText(expiresAt)}`],
      ['Answer', answer && [answer.action, answer.option].filter(Boolean).join(', ')],
      ['Content', answer?.content && JSON.stringify(answer.content)],
      ['Comment', answer?.comment],
      ['Answered', answer && `by ${answer.by}, ${timeText(answer.time)}, event ${answer.sequence}`],
      ['Rule', answer?.rule],
    ]),
    ...(about?.diff === undefined ? [] : [block(about.diff)]),
  ];
}

function commentParts({ author, body, time, sequence }: CommentView): Part[] {
  return [paragraph(`${author}, ${timeText(time)}, event ${sequence}`, true), block(body)];
}

function eventTable(events: readonly ReportedEvent[]): Part {
  return {
    kind: 'table',
    titles: ['Sequence', 'Time', 'Actor', 'Event', 'Change', 'Text', 'SHA-256'],
    rows: events.map(({ record, hash, isRedacted }) => [
      String(record.sequence),
      timeText(record.time),
      record.actor,
      record.event.type,
      changesOf(record),
      isRedacted ? 'its content was erased' : printable(eventText(record.event)),
      hash,
    ]),
  };
}

/** Smallest length of a bar in percent, so that it stays visible. */
const MIN_LENGTH = 0.6;

function barsOf({ task, attempts, events }: TaskReport): readonly Bar[] {
  const begin = task.createdAt;
  const end = Math.max(begin + 1, ...events.map(({ record }) => record.time));
  const share = (ms: number): number => Math.round((ms / (end - begin)) * 10_000) / 100;
  return attempts.map(({ attempt, agent, state, claimedAt, startedAt, endedAt }) => {
    const from = startedAt ?? claimedAt;
    const duration = (endedAt ?? end) - from;
    const length = Math.min(100, Math.max(MIN_LENGTH, share(duration)));
    const start = Math.max(0, Math.min(share(from - begin), 100 - length));
    return { attempt, text: `${agent}, ${state}, ${(duration / 1_000).toFixed(1)} s`, state, start, length };
  });
}
