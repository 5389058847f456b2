/** How commands print: JSON for programs, tables and lines for people. */
import type { SignalboxClient } from '../client/client.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { JsonOption } from './options.ts';
import type { Terminal } from './terminal.ts';
import { type Column, tableLines } from './text/table.ts';

export function printJson(terminal: Terminal, value: unknown): void {
  terminal.print(JSON.stringify(value, null, 2));
}

export function printLines(terminal: Terminal, lines: readonly string[]): void {
  for (const line of lines) terminal.print(line);
}

/** An answer as JSON, or as text. */
export function printAnswer<Answer>(
  terminal: Terminal,
  { json }: JsonOption,
  answer: Answer,
  textOf: (answer: Answer) => string | readonly string[],
): void {
  if (json) return printJson(terminal, answer);
  const text = textOf(answer);
  printLines(terminal, typeof text === 'string' ? [text] : text);
}

export interface List<Row> {
  readonly rows: readonly Row[];
  /** @param now epoch milliseconds, for ages */
  readonly columns: (now: number) => readonly Column<Row>[];
  /** Printed instead of an empty table. */
  readonly empty: string;
}

/** A list as JSON, or as a table. */
export function printList<Row>(
  terminal: Terminal,
  { json }: JsonOption,
  { rows, columns, empty }: List<Row>,
): void {
  if (json) printJson(terminal, rows);
  else if (rows.length === 0) terminal.note(empty);
  else printLines(terminal, tableLines(terminal, columns(Date.now()), rows));
}

interface Scope {
  readonly project: string;
  readonly allProjects?: true;
}

/** Where a list was looked for: ` in project shop`; or nothing. */
export function scopeText({ project, allProjects }: Scope): string {
  return allProjects ? ' in any project' : ` in project ${project} (--all-projects lists all)`;
}

/**
 * Tells an empty list of an agent from a misspelt agent.
 * @throws SignalboxError `agent_not_found`
 */
export async function assertAgent(client: SignalboxClient, agent: string | undefined): Promise<void> {
  if (agent !== undefined) await client.readAgent({ agent });
}

/** The maximum of one page of the API. */
const PAGE_SIZE = 1_000;

export interface Collected<Row> {
  readonly rows: readonly Row[];
  readonly isAll: boolean;
}

/**
 * The first `limit` rows of a list that is read in pages.
 * @throws SignalboxError `invalid_request` if the limit is not a whole number of at least 1
 */
export async function collectPages<Row>(
  limit: number,
  read: (page: { readonly after: number; readonly limit: number }) => Promise<{
    readonly rows: readonly Row[];
    readonly next: number | null;
  }>,
): Promise<Collected<Row>> {
  if (!Number.isInteger(limit) || limit < 1) {
    throw new SignalboxError('invalid_request', '--limit: expected a whole number of at least 1');
  }
  const rows: Row[] = [];
  let after: number | null = 0;
  while (after !== null && rows.length < limit) {
    const page = await read({ after, limit: Math.min(PAGE_SIZE, limit - rows.length) });
    rows.push(...page.rows);
    after = page.next;
  }
  return { rows, isAll: after === null };
}

/** As in `1 task`, `2 tasks`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
