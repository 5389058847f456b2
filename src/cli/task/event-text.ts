/** An event of a task as one line. */
import { z } from 'zod';
import { oneLine } from '../../base/text/printable.ts';
import type { EventAnswer } from '../../client/client.ts';
import { nameOf } from '../../contracts/actors.ts';
import { editText } from '../../contracts/events/edit-text.ts';
import type { Terminal } from '../terminal.ts';
import { clockText } from '../text/time.ts';
import { pad } from '../text/width.ts';

const TRANSITION_WIDTH = 20;
const TYPE_WIDTH = 22;

/** Fields that are shown. Events may have more, above all those of a newer Signalbox. */
const detailsSchema = z.object({
  attempt: z.number().nullish(),
  agent: z.string().optional(),
  pid: z.number().optional(),
  output: z.object({ type: z.string(), title: z.string() }).optional(),
  outcome: z.string().optional(),
  exit_code: z.number().optional(),
  signal: z.string().optional(),
  error: z.string().optional(),
  detail: z.string().optional(),
  reason: z.string().optional(),
  author: z.string().optional(),
  comment: z.string().optional(),
  body: z.string().optional(),
  question: z.string().optional(),
  spec: z.object({ message: z.string().optional() }).optional(),
  action: z.string().optional(),
  option: z.string().optional(),
  text: z.string().optional(),
  session_given_up: z.string().optional(),
  deadline_ms: z.number().optional(),
  children: z.literal(true).optional(),
  changes: z.record(z.string(), z.object({ from: z.unknown(), to: z.unknown() })).optional(),
  by: z.string().optional(),
});

/** Time, transition, type and details. */
export function eventLine(terminal: Pick<Terminal, 'style'>, event: EventAnswer): string {
  const time = terminal.style('dim', clockText(event.time));
  const type = pad(event.event.type, TYPE_WIDTH);
  return `${time}  ${pad(transitionOf(event), TRANSITION_WIDTH)}  ${type}  ${detailsOf(event)}`.trimEnd();
}

/** As in `pending → claimed`: of the task, or of the attempt if the task does not change; empty if nothing changes. */
function transitionOf({ transitions }: EventAnswer): string {
  const moving = transitions.filter(({ from, to }) => from !== to);
  const shown = moving.find(({ entity }) => entity === 'task') ?? moving[0];
  if (shown === undefined) return '';
  return shown.from === null ? shown.to : `${shown.from} → ${shown.to}`;
}

function detailsOf({ event, actor }: EventAnswer): string {
  const parsed = detailsSchema.safeParse(event);
  const fields = parsed.success ? parsed.data : {};
  const text =
    fields.error ??
    fields.detail ??
    fields.reason ??
    fields.comment ??
    fields.body ??
    fields.spec?.message ??
    fields.text ??
    (fields.session_given_up && `its session is given up: ${fields.session_given_up}`);
  const parts = [
    typeof fields.attempt === 'number' ? `attempt ${fields.attempt}` : null,
    fields.agent === undefined ? null : `agent ${fields.agent}`,
    fields.pid === undefined ? null : `pid ${fields.pid}`,
    fields.output === undefined ? null : `${fields.output.type} "${fields.output.title}"`,
    fields.question === undefined ? null : `question ${fields.question}`,
    fields.action ?? null,
    fields.option === undefined ? null : `option ${fields.option}`,
    fields.by === undefined ? null : `by ${fields.by}`,
    fields.children === undefined ? null : 'with everything below it',
    event.type !== 'attempt.extended' || fields.deadline_ms === undefined
      ? null
      : `until ${clockText(new Date(fields.deadline_ms).toISOString())}`,
    fields.changes === undefined ? null : editText(fields.changes),
    fields.outcome ?? null,
    fields.exit_code === undefined ? null : `exit code ${fields.exit_code}`,
    fields.signal ?? null,
    authorOf(actor, fields.author),
  ].filter((part) => part !== null);
  const head = parts.join(', ');
  return oneLine(text === undefined ? head : `${head}${head === '' ? '' : ': '}${text}`);
}

/** Users, and the agents that wrote a comment; null for the supervisor, and for what an agent reports about itself. */
function authorOf(actor: string, author: string | undefined): string | null {
  if (actor.startsWith('user:')) return `by ${nameOf(actor)}`;
  return author === undefined ? null : `by agent ${nameOf(actor)}`;
}
