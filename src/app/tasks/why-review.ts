/** What a task in review waits for if an agent reviews it. */
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import type { ReviewSituation, Wait } from './why.ts';

/** @param byHand the commands with which a user decides */
export function explainReviewByAgent(
  { reviewer, isConfigured, isOwnWork, task }: ReviewSituation,
  byHand: string,
): { readonly wait: Wait | null; readonly next: string } {
  const person = `a user approves or rejects it: ${byHand}`;
  const forPerson = (why: string): Wait => ({
    kind: 'review',
    detail: `${why}: a user has to review the result`,
  });
  if (task === null) {
    if (isOwnWork)
      return {
        wait: forPerson(`agent ${reviewer} did the work and cannot review it`),
        next: person,
      };
    if (!isConfigured)
      return {
        wait: forPerson(`the reviewing agent ${reviewer} is not in the configuration`),
        next: person,
      };
    return { wait: null, next: `agent ${reviewer} reviews it` };
  }
  const { id, state } = task;
  const why = task.reason === null ? '' : ` (${task.reason})`;
  if (state === 'blocked' || (SETTLED_STATES.has(state) && state !== 'done')) {
    const retry = state === 'failed' ? `, or the review is retried: "signalbox task retry ${id}"` : '';
    const detail = `agent ${reviewer} gave no verdict: its review, task ${id}, is ${state}${why}`;
    return { wait: { ...forPerson(detail), tasks: [id] }, next: `${person}${retry}` };
  }
  const wait: Wait = {
    kind: 'review',
    detail: `agent ${reviewer} reviews it: task ${id} is ${state}`,
    agent: reviewer,
    tasks: [id],
  };
  return { wait, next: `agent ${reviewer} approves or rejects it, unless a user does first: ${byHand}` };
}
