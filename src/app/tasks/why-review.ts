/** What a task in review waits for, where an agent is to review it. */
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import type { ReviewSituation, Wait } from './why.ts';

/** @param byHand how a person decides */
export function explainReviewByAgent(
  { reviewer, isConfigured, isOwnWork, task }: ReviewSituation,
  byHand: string,
): { readonly wait: Wait | null; readonly next: string } {
  const person = `somebody approves or rejects it: ${byHand}`;
  const forPerson = (why: string): Wait => ({
    kind: 'review',
    detail: `${why}: somebody has to look at the result`,
  });
  if (task === null) {
    if (isOwnWork)
      return {
        wait: forPerson(`agent ${reviewer} has done the work, and does not review it as well`),
        next: person,
      };
    if (!isConfigured)
      return {
        wait: forPerson(`agent ${reviewer}, which is to review it, is not in the configuration`),
        next: person,
      };
    return { wait: null, next: `agent ${reviewer} reviews it` };
  }
  const { id, state } = task;
  const why = task.reason === null ? '' : ` (${task.reason})`;
  if (state === 'blocked' || (SETTLED_STATES.has(state) && state !== 'done')) {
    const retry = state === 'failed' ? `, or the review is tried again: "signalbox task retry ${id}"` : '';
    const detail = `agent ${reviewer} came to no verdict: its review, task ${id}, is ${state}${why}`;
    return { wait: { ...forPerson(detail), tasks: [id] }, next: `${person}${retry}` };
  }
  const wait: Wait = {
    kind: 'review',
    detail: `agent ${reviewer} reviews it: task ${id} is ${state}`,
    agent: reviewer,
    tasks: [id],
  };
  return { wait, next: `agent ${reviewer} approves or rejects it, or somebody does first: ${byHand}` };
}
