/** How a question is named, and how an agent may ask. */
import { type TaskRef, taskKey } from '../../../contracts/ids.ts';
import type { PermissionPolicy, RecordedRule } from '../../../contracts/questions.ts';

export interface QuestionRef extends TaskRef {
  readonly question: string;
}

export function questionKey(ref: QuestionRef): string {
  return `${taskKey(ref)}/${ref.question}`;
}

/** How an agent may ask, by its configuration. */
export interface QuestionSettings {
  /** How long its process waits for an answer before it is ended; undefined: until the question expires. */
  readonly parkAfterMs?: number | undefined;
  /**
   * How long nothing of the agent may ask for an answer before its attempt waits no longer, and its time counts again;
   * undefined: it waits whether or not something asks.
   */
  readonly keepaliveMs?: number | undefined;
  readonly permissions?: PermissionPolicy | undefined;
  /** The agent that answers, unless a person does first. */
  readonly answeredBy?: string | undefined;
}

/** What an answer adds to the rules: in which scope, and for which input; by default this one. */
export interface Remembering {
  readonly scope: RecordedRule['scope'];
  /** A glob. */
  readonly input?: string | undefined;
}
