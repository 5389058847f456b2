/**
 * The list of all operations: HTTP, NATS, the documents and the client are derived from it. It loads schemas and pure
 * functions only, so that a client can import it; handlers get everything else as services.
 */
import {
  drainAgent,
  listAgents,
  listRejectedMessages,
  pauseAgent,
  readAgent,
  resumeAgent,
} from './agents/agents.ts';
import { addComment, addOutput, reportHeartbeat, reportStatus } from './agents/messages.ts';
import { followEvents, followProjectEvents } from './events/events.ts';
import { discardWebhook, listWebhookDeadLetters, listWebhooks, redeliverWebhook } from './events/webhooks.ts';
import { answerByLink, readAnswerLink } from './questions/answer-links.ts';
import {
  answerQuestion,
  askQuestion,
  listQuestions,
  listRules,
  listTaskQuestions,
  readQuestion,
  revokeRule,
  withdrawQuestion,
} from './questions/questions.ts';
import { listSteering, steerTask, takeSteering } from './questions/steering.ts';
import { listDeadLetters, redriveDeadLetters } from './queues/dead-letters.ts';
import { listQueues, pauseQueue, readThroughput, resumeQueue } from './queues/queues.ts';
import {
  backfillSchedule,
  createSchedule,
  listSchedules,
  pauseSchedule,
  readSchedule,
  removeSchedule,
  resumeSchedule,
  triggerSchedule,
} from './queues/schedules.ts';
import { listAuditKeys, readAuditStatus, rotateAuditKey, verifyLog } from './system/audit.ts';
import {
  dropSnapshots,
  getCaller,
  listMachines,
  readDocs,
  readHealth,
  readMetrics,
  readOpenApi,
  readReadiness,
  readState,
  readVersion,
} from './system/system.ts';
import {
  extendAttempt,
  followTranscript,
  killAttempt,
  listAttempts,
  listProcesses,
  readAttempt,
  readAttemptLog,
  readProcessTree,
  readTranscript,
} from './tasks/attempts.ts';
import { checkBackground, drainNotifications, listBackground, runBackground } from './tasks/background.ts';
import { followBoard, readBoard } from './tasks/board.ts';
import {
  approveTask,
  blockTask,
  cancelTask,
  editTask,
  redactTask,
  rejectTask,
  retryTask,
  unblockTask,
} from './tasks/decisions.ts';
import { cancelJob, createJob, readJob } from './tasks/jobs.ts';
import { createTask, explainTask, listAllTasks, listTasks, readTask } from './tasks/tasks.ts';
import { createFromTemplate, listTemplates } from './tasks/templates.ts';
import {
  listWorkspaces,
  pruneWorkspaces,
  readDiff,
  readWorkspace,
  removeWorkspace,
} from './tasks/workspaces.ts';
import { listBudgets, raiseBudget } from './usage/budgets.ts';
import { readUsage } from './usage/usage.ts';

/** In the order of the documents. */
export const OPERATIONS = [
  createJob,
  readJob,
  cancelJob,
  createTask,
  listTemplates,
  createFromTemplate,
  listTasks,
  listAllTasks,
  readTask,
  explainTask,
  approveTask,
  rejectTask,
  cancelTask,
  blockTask,
  unblockTask,
  editTask,
  redactTask,
  retryTask,
  steerTask,
  listSteering,
  takeSteering,
  reportStatus,
  reportHeartbeat,
  addOutput,
  addComment,
  askQuestion,
  listTaskQuestions,
  readQuestion,
  answerQuestion,
  withdrawQuestion,
  listQuestions,
  readAnswerLink,
  answerByLink,
  listRules,
  revokeRule,
  listAttempts,
  readAttempt,
  readAttemptLog,
  readTranscript,
  followTranscript,
  readProcessTree,
  killAttempt,
  extendAttempt,
  listProcesses,
  readDiff,
  listWorkspaces,
  readWorkspace,
  removeWorkspace,
  pruneWorkspaces,
  listAgents,
  readAgent,
  pauseAgent,
  drainAgent,
  resumeAgent,
  listRejectedMessages,
  listDeadLetters,
  redriveDeadLetters,
  listAuditKeys,
  rotateAuditKey,
  readAuditStatus,
  verifyLog,
  getCaller,
  readState,
  dropSnapshots,
  listMachines,
  listQueues,
  pauseQueue,
  resumeQueue,
  readThroughput,
  readUsage,
  listBudgets,
  raiseBudget,
  createSchedule,
  listSchedules,
  readSchedule,
  pauseSchedule,
  resumeSchedule,
  triggerSchedule,
  backfillSchedule,
  removeSchedule,
  followEvents,
  followProjectEvents,
  readBoard,
  followBoard,
  listWebhooks,
  listWebhookDeadLetters,
  redeliverWebhook,
  discardWebhook,
  runBackground,
  listBackground,
  drainNotifications,
  checkBackground,
  readHealth,
  readReadiness,
  readVersion,
  readMetrics,
  readOpenApi,
  readDocs,
] as const;
