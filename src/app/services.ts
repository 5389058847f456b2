/** The use cases as services: functions that are bound to one Signalbox. Handlers of operations call nothing else. */
import type { TaskView } from '../../projections/index.ts';
import { nameOf } from '../contracts/actors.ts';
import type { AttemptAnswer, TaskAnswer } from '../contracts/api/answers.ts';
import type { JobAnswer } from '../contracts/api/jobs.ts';
import type { AddComment, Decision } from '../contracts/api/requests.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { AttemptRef, TaskRef } from '../contracts/ids.ts';
import { SETTLED_STATES } from '../contracts/tasks.ts';
import { childrenOf, refOf } from '../engine/runtime/views.ts';
import type { QuestionRef } from '../engine/supervisor/questions/question-ref.ts';
import {
  addComment,
  addOutput,
  assertOwnName,
  reportHeartbeat,
  reportStatus,
  type Sender,
} from './agents/agent-messages.ts';
import { decideAgent, listAgents, readAgent } from './agents/agents.ts';
import { readAttemptLog } from './attempts/attempt-log.ts';
import { listProcesses, readAttempt, readProcessTree } from './attempts/attempt-processes.ts';
import { extendAttempt, killAttempt } from './attempts/attempts.ts';
import { readTranscript } from './attempts/transcript.ts';
import { listBudgets, raiseBudget } from './budgets/budgets.ts';
import { type AppContext, deciderOf, findAttempts, findTask } from './context.ts';
import type { TaskUpdates } from './events/follow.ts';
import { decideQueue, listQueues } from './overview/queues.ts';
import { listAuditKeys, listMachines, readState, rotateAuditKey } from './overview/system.ts';
import { readThroughput } from './overview/throughput.ts';
import { readUsage } from './overview/usage.ts';
import { answerByLink, readLinked } from './questions/answer-link.ts';
import {
  type AnswerWait,
  answerQuestion,
  askQuestion,
  listQuestions,
  listRules,
  listTaskQuestions,
  readQuestion,
  revokeRule,
  withdrawQuestion,
} from './questions/questions.ts';
import { listMessages, messagesFor, steerTask } from './questions/steering.ts';
import {
  backfillSchedule,
  createSchedule,
  decideSchedule,
  listSchedules,
  readSchedule,
} from './schedules/schedules.ts';
import { createTask } from './tasks/create-task.ts';
import { listDeadLetters, redriveDeadLetters } from './tasks/dead-letters.ts';
import { cancelTask, decideTask, type TaskDecision } from './tasks/decide-task.ts';
import { editTask } from './tasks/edit-task.ts';
import { cancelJob, createJob, jobJson, readJob } from './tasks/jobs.ts';
import { listTasks, readTask } from './tasks/read-tasks.ts';
import { redactContent } from './tasks/redact.ts';
import { reviewAsAgent } from './tasks/review.ts';
import { attemptJson, taskJson } from './tasks/task-json.ts';
import { listTemplates, requestFrom } from './tasks/templates.ts';
import { explainTask } from './tasks/why.ts';
import {
  listWorkspaces,
  pruneWorkspaces,
  readDiff,
  readWorkspace,
  removeWorkspace,
} from './workspaces/workspaces.ts';

export type AppServices = ReturnType<typeof appServices>;

/** @param updates wakes the callers that wait for an update of a task */
export function appServices(app: AppContext, updates: TaskUpdates) {
  const { bind, answering, answeringAgent, withMessages } = binders(app);
  return {
    tasks: {
      create: async (...args: Tail<typeof createTask>): Promise<{ task: TaskAnswer; created: boolean }> => {
        const { task, created } = await createTask(app, ...args);
        return { task: taskJson(task), created };
      },
      list: bind(listTasks),
      read: bind(readTask),
      explain: bind(explainTask),
      afterUpdate: (ref: TaskRef, wait: UpdateWait) => afterUpdate(app, updates, ref, wait),
    },
    jobs: jobServices(app),
    decisions: {
      decide: answering(decideTask),
      /** Who decides. @throws SignalboxError `forbidden` if the request names another one than its sender */
      speakerOf: deciderOf,
      review: bind(reviewTask),
      cancel: bind(cancelTask),
      edit: answering(editTask),
      redact: answering(redactContent),
    },
    messages: {
      reportStatus: answeringAgent(reportStatus),
      reportHeartbeat: answeringAgent(reportHeartbeat),
      addOutput: answeringAgent(addOutput),
      /** A report of an attempt was refused, or (null) accepted. */
      noteReport: (attempt: AttemptRef, refusal: string | null): void =>
        app.supervision.supervisor.attempts.noteReport(attempt, refusal),
      addComment: async (ref: TaskRef, comment: AddComment, sender: Sender): Promise<TaskAnswer> =>
        withMessages(await addComment(app, ref, comment, sender), ref, sender.token),
    },
    questions: questionServices(app, updates),
    steering: { send: bind(steerTask), list: bind(listMessages), take: bind(messagesFor) },
    attempts: attemptServices(app),
    agents: { list: bind(listAgents), read: bind(readAgent), decide: bind(decideAgent) },
    queues: { list: bind(listQueues), decide: bind(decideQueue), throughput: bind(readThroughput) },
    usage: { read: bind(readUsage) },
    templates: { list: bind(listTemplates), requestFrom: bind(requestFrom) },
    budgets: { list: bind(listBudgets), raise: bind(raiseBudget) },
    schedules: {
      list: bind(listSchedules),
      read: bind(readSchedule),
      create: bind(createSchedule),
      decide: bind(decideSchedule),
      backfill: bind(backfillSchedule),
    },
    workspaces: {
      list: bind(listWorkspaces),
      read: bind(readWorkspace),
      remove: bind(removeWorkspace),
      prune: bind(pruneWorkspaces),
      readDiff: bind(readDiff),
    },
    deadLetters: { list: bind(listDeadLetters), redrive: bind(redriveDeadLetters) },
    auditKeys: { list: bind(listAuditKeys), rotate: bind(rotateAuditKey) },
    system: {
      /** The ETag of everything that follows from the log: it changes with every event. */
      etag: (): string => `W/"${app.state.projections.sequence}"`,
      readState: bind(readState),
      dropSnapshots: () => app.log.dropSnapshots(),
      listMachines,
    },
  };
}

function questionServices(app: AppContext, updates: TaskUpdates) {
  const { bind } = binders(app);
  return {
    ask: bind(askQuestion),
    list: bind(listQuestions),
    listOfTask: bind(listTaskQuestions),
    read: (ref: QuestionRef, wait: AnswerWait) => readQuestion(app, updates, ref, wait),
    answer: bind(answerQuestion),
    withdraw: bind(withdrawQuestion),
    readLinked: bind(readLinked),
    answerByLink: bind(answerByLink),
    listRules: bind(listRules),
    revokeRule: bind(revokeRule),
  };
}

function attemptServices(app: AppContext) {
  const { bind } = binders(app);
  return {
    list: async (ref: TaskRef): Promise<AttemptAnswer[]> => (await findAttempts(app, ref)).map(attemptJson),
    read: bind(readAttempt),
    readLog: bind(readAttemptLog),
    readTranscript: bind(readTranscript),
    readProcesses: bind(readProcessTree),
    kill: bind(killAttempt),
    extend: bind(extendAttempt),
    listOpen: bind(listProcesses),
  };
}

type Tail<UseCase> = UseCase extends (app: never, ...args: infer Args) => unknown ? Args : never;

function binders(app: AppContext) {
  const withMessages = (task: TaskView, ref: TaskRef, token: string | null): TaskAnswer => {
    const steering = messagesFor(app, ref, token);
    return { ...taskJson(task), ...(steering.length > 0 && { steering }) };
  };
  return {
    bind:
      <Args extends unknown[], Result>(useCase: (app: AppContext, ...args: Args) => Result) =>
      (...args: Args): Result =>
        useCase(app, ...args),
    /** For use cases that return the task afterwards. */
    answering:
      <Args extends unknown[]>(useCase: (app: AppContext, ...args: Args) => Promise<TaskView>) =>
      async (...args: Args): Promise<TaskAnswer> =>
        taskJson(await useCase(app, ...args)),
    /** For messages of agents: the answer has what users tell the agent. */
    answeringAgent:
      <Body>(
        useCase: (app: AppContext, ref: TaskRef, body: Body, token: string | null) => Promise<TaskView>,
      ) =>
      async (ref: TaskRef, body: Body, token: string | null): Promise<TaskAnswer> =>
        withMessages(await useCase(app, ref, body, token), ref, token),
    withMessages,
  };
}

/** Waits for an update of a task. */
export interface UpdateWait {
  readonly waitMs: number;
  /** Whether the caller has the state with this tag already; if absent, the wait ends when the task is settled. */
  readonly isKnown: ((etag: string) => boolean) | undefined;
  readonly gone: AbortSignal;
}

/**
 * Waits until the task has changed, the time is over, or the caller has gone away.
 * @returns the tag of its state then. @throws SignalboxError `task_not_found`, `log_unavailable`
 */
async function afterUpdate(
  app: AppContext,
  updates: TaskUpdates,
  ref: TaskRef,
  { waitMs, isKnown, gone }: UpdateWait,
): Promise<string> {
  const isUpdated = (now: TaskView): boolean =>
    isKnown === undefined ? SETTLED_STATES.has(now.state) : !isKnown(etagOf(app, now));
  const now = await findTask(app, ref);
  if (waitMs <= 0) return etagOf(app, now);
  await updates.until(now, isUpdated, waitMs, gone);
  return etagOf(app, await findTask(app, ref));
}

/** Weak, because another version may write the same task differently. It also changes with what is below it: that is in the answer. */
function etagOf(app: AppContext, task: TaskView): string {
  return `W/"${newestOf(app, task)}"`;
}

function newestOf(app: AppContext, task: TaskView): number {
  return childrenOf(app.state.projections, refOf(task)).reduce(
    (last, child) => Math.max(last, newestOf(app, child)),
    task.lastSequence,
  );
}

/** A job with the tag of its state. */
export interface TaggedJob {
  readonly job: JobAnswer;
  readonly etag: string;
}

function jobServices(app: AppContext) {
  const tagged = async (task: TaskView): Promise<TaggedJob> => ({
    job: await jobJson(app, task),
    etag: etagOf(app, task),
  });
  return {
    create: async (...args: Tail<typeof createJob>): Promise<TaggedJob & { readonly created: boolean }> => {
      const { task, created } = await createJob(app, ...args);
      return { ...(await tagged(task)), created };
    },
    read: (id: string): Promise<JobAnswer> => readJob(app, id),
    cancel: async (id: string, actor: string): Promise<TaggedJob> => tagged(await cancelJob(app, id, actor)),
  };
}

/** A decision of an operator, or the verdict of the attempt that reviews the task. */
async function reviewTask(
  app: AppContext,
  decision: Extract<TaskDecision, { type: 'task.approved' | 'task.rejected' }>,
  request: Decision,
  { actor, token }: { readonly actor: string; readonly token: string | null },
): Promise<TaskAnswer> {
  if (token === null) return taskJson(await decideTask(app, decision, request, actor));
  assertOwnName('by', request.by, nameOf(actor));
  const { comment } = decision;
  const verdict = decision.type === 'task.approved' ? 'approve' : 'reject';
  const view = await reviewAsAgent(app, decision, { verdict, comment }, token);
  if (view) return taskJson(view);
  throw new SignalboxError(
    'forbidden',
    `the token does not belong to a review of task ${decision.task}: only its reviewer and operators decide about it`,
  );
}
