/** Answers of the server, with the types of the events that they contain. */
import type { TaskAnswer } from '../../src/contracts/api/answers.ts';
import type { BoardAnswer } from '../../src/contracts/api/board.ts';
import type { DomainEvent, Transition } from '../../src/contracts/events/events.ts';

export type {
  AgentAnswer,
  AttemptAnswer,
  AuditKeyAnswer,
  DeadLetter,
  DeadLetterPage,
  QueueAnswer,
  RedriveAnswer,
  TaskAnswer,
} from '../../src/contracts/api/answers.ts';
export type { AuditStatusAnswer as AuditStatus } from '../../src/contracts/api/audit-status.ts';
export type { MachineGraphAnswer } from '../../src/contracts/api/machines.ts';
export type { ProcessTreeAnswer } from '../../src/contracts/api/processes.ts';
export type { ThroughputAnswer } from '../../src/contracts/api/throughput.ts';
export type { WhyAnswer } from '../../src/contracts/api/why.ts';

export type OutputAnswer = NonNullable<TaskAnswer['outputs']>[number];

/** An event of the log. */
export interface EventAnswer {
  readonly sequence: number;
  readonly id: string;
  readonly time: string;
  readonly actor: string;
  readonly cause: string | null;
  readonly event: DomainEvent;
  readonly transitions: readonly Transition[];
}

export type PastBoard = Omit<BoardAnswer, 'event'> & { readonly event: EventAnswer };
