/** Answers of the server: their types follow from the operations. */
import type { DomainEvent, Transition } from '../../src/contracts/events/events.ts';
import type { OPERATIONS } from '../../src/operations/index.ts';
import type { BodyOf } from '../../src/operations/operation.ts';

type Operation = (typeof OPERATIONS)[number];
type BodyOfOperation<Name extends Operation['name']> = BodyOf<
  Extract<Operation, { readonly name: Name }>['answers']
>;

/** The JSON that an operation answers with. */
export type AnswerOf<Name extends Operation['name']> = Exclude<BodyOfOperation<Name>, Uint8Array>;

export type AgentAnswer = AnswerOf<'readAgent'>;
export type AttemptAnswer = AnswerOf<'readAttempt'>;
export type AuditStatus = AnswerOf<'readAuditStatus'>;
export type DiffAnswer = AnswerOf<'readDiff'>;
export type DeadLetter = AnswerOf<'listDeadLetters'>['dead_letters'][number];
export type MachineGraph = AnswerOf<'listMachines'>['machines'][number];
export type QueueAnswer = AnswerOf<'listQueues'>['queues'][number];
export type ScheduleAnswer = AnswerOf<'listSchedules'>['schedules'][number];
export type TaskAnswer = AnswerOf<'readTask'>;
export type TemplateList = AnswerOf<'listTemplates'>;
export type TemplateAnswer = TemplateList['templates'][number];
export type Throughput = AnswerOf<'readThroughput'>;
export type Usage = AnswerOf<'readUsage'>;
export type BudgetAnswer = AnswerOf<'listBudgets'>['budgets'][number];
export type WhyAnswer = AnswerOf<'explainTask'>;

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

export type PastBoard = Omit<AnswerOf<'readBoard'>, 'event'> & { readonly event: EventAnswer };
