/** One event of a task in one line. */
import { z } from 'zod';
import type { Terminal } from '../terminal.ts';
import { oneLine } from '../text/printable.ts';
import { clockText } from '../text/time.ts';
import { pad } from '../text/width.ts';
import type { EventAnswer } from './shapes.ts';

const TRANSITION_WIDTH = 20;
const TYPE_WIDTH = 22;

/** What events may say beside their type; a newer Signalbox may say more. */
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
});

/** Time, transition, type, and what the event says of itself. */
export function eventLine(terminal: Pick<Terminal, 'style'>, event: EventAnswer): string {
  const time = terminal.style('dim', clockText(event.time));
  const type = pad(event.event.type, TYPE_WIDTH);
  return `${time}  ${pad(transitionOf(event), TRANSITION_WIDTH)}  ${type}  ${detailsOf(event)}`.trimEnd();
}

/** As in `pending → claimed`; of the attempt where the task stays as it is; empty where nothing moves. */
function transitionOf({ transitions }: EventAnswer): string {
  const moving = transitions.filter(({ from, to }) => from !== to);
  const shown = moving.find(({ entity }) => entity === 'task') ?? moving[0];
  if (shown === undefined) return '';
  return shown.from === null ? shown.to : `${shown.from} → ${shown.to}`;
}

function detailsOf({ event, actor }: EventAnswer): string {
  const parsed = detailsSchema.safeParse(event);
  const said = parsed.success ? parsed.data : {};
  const text = said.error ?? said.detail ?? said.reason ?? said.comment ?? said.body;
  const parts = [
    typeof said.attempt === 'number' ? `attempt ${said.attempt}` : null,
    said.agent === undefined ? null : `agent ${said.agent}`,
    said.pid === undefined ? null : `pid ${said.pid}`,
    said.output === undefined ? null : `${said.output.type} "${said.output.title}"`,
    said.outcome ?? null,
    said.exit_code === undefined ? null : `exit code ${said.exit_code}`,
    said.signal ?? null,
    whoOf(actor, said.author),
  ].filter((part) => part !== null);
  const head = parts.join(', ');
  return oneLine(text === undefined ? head : `${head}${head === '' ? '' : ': '}${text}`);
}

/** Persons and authors of comments; what the supervisor decides goes without saying. */
function whoOf(actor: string, author: string | undefined): string | null {
  if (author !== undefined) return `by ${author}`;
  return actor.startsWith('user:') ? `by ${actor.slice('user:'.length)}` : null;
}
