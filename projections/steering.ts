/** Messages of users to the agents of tasks, and how each reached its agent. */
import { REDACTED } from '../src/contracts/events/events.ts';
import { type TaskRef, taskKey } from '../src/contracts/ids.ts';
import type { SteeringWay } from '../src/contracts/tasks.ts';
import { type PastProjection, personOf } from './projection.ts';

export interface SteeringMessage {
  readonly id: string;
  readonly text: string;
  readonly by: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** Of the event. */
  readonly sequence: number;
  /** null until its agent has it. */
  readonly delivered: {
    readonly attempt: number;
    readonly by: SteeringWay;
    readonly time: number;
    /** The message of the agent in whose answer it was. */
    readonly cause?: string | undefined;
  } | null;
}

export interface Steering {
  /** By task key, in the order in which they were sent. */
  readonly byTask: Map<string, readonly SteeringMessage[]>;
}

const NOTHING: readonly never[] = [];

export const steering: PastProjection<Steering> = {
  name: 'steering',
  version: 1,
  initial: () => ({ byTask: new Map() }),
  evolve({ byTask }, { event, actor, time, sequence, cause }) {
    switch (event.type) {
      case 'task.steered': {
        const { message: id, text } = event;
        const message = { id, text, by: personOf(actor), time, sequence, delivered: null };
        const key = taskKey(event);
        byTask.set(key, [...(byTask.get(key) ?? NOTHING), message]);
        return;
      }
      case 'task.steering_delivered': {
        const { attempt, by, messages } = event;
        const delivered = { attempt, by, time, ...(cause !== undefined && { cause }) };
        return change(byTask, event, (each) => (messages.includes(each.id) ? { ...each, delivered } : each));
      }
      case 'task.redacted':
        return change(byTask, event, (each) =>
          each.sequence === event.sequence ? { ...each, text: REDACTED } : each,
        );
      default:
        return;
    }
  },
  forget: ({ byTask }, task) => {
    byTask.delete(task);
  },
  toJSON: ({ byTask }) => [...byTask],
  restore: (json) => ({ byTask: new Map(json as [string, readonly SteeringMessage[]][]) }),
  pieceOf: ({ byTask }, task) => {
    const sent = byTask.get(task);
    return sent ? ['steering', task, sent] : null;
  },
  *pieces({ byTask }, isTask) {
    for (const [task, sent] of byTask) if (!isTask(task)) yield ['steering', task, sent];
  },
  copy: ({ byTask }) => ({ byTask: new Map(byTask) }),
};

function change(
  byTask: Steering['byTask'],
  ref: TaskRef,
  next: (message: SteeringMessage) => SteeringMessage,
): void {
  const sent = byTask.get(taskKey(ref));
  if (sent) byTask.set(taskKey(ref), sent.map(next));
}

/** All messages to the agents of a task. */
export function messagesOf({ byTask }: Steering, ref: TaskRef): readonly SteeringMessage[] {
  return byTask.get(taskKey(ref)) ?? NOTHING;
}

export function undelivered(state: Steering, ref: TaskRef): SteeringMessage[] {
  return messagesOf(state, ref).filter(({ delivered }) => delivered === null);
}
