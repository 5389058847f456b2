/** The events of attempts. */
import { z } from 'zod';
import {
  ANSWER_ACTIONS,
  answerContentSchema,
  questionSpecSchema,
  recordedRuleSchema,
  redactedQuestion,
} from '../questions.ts';
import { ATTEMPT_OUTCOMES, STOP_REASONS } from '../tasks.ts';
import { transcriptProofSchema } from '../transcript/schemas.ts';
import { usageSchema } from '../usage.ts';
import { ADDRESS, event, REDACTED } from './event.ts';

const { task, attempt, agent } = ADDRESS;

export const ATTEMPT_EVENTS = [
  event({
    type: 'attempt.started',
    moves: ['task', 'attempt'],
    data: {
      ...attempt,
      ...agent,
      driver: z.string(),
      host: z.string(),
      pid: z.int().optional(),
      /** When the system says that the process started: a pid alone may belong to another process by now. */
      start_time: z.string().optional(),
      /** The agent's own session, if it is known from the start. */
      session: z.string().optional(),
      /** Epoch milliseconds at which the attempt times out. */
      deadline_ms: z.int(),
    },
  }),
  event({ type: 'attempt.suspected', moves: ['attempt'], data: { ...attempt, reason: z.string() } }),
  event({ type: 'attempt.recovered', moves: ['attempt'], data: { ...attempt, evidence: z.string() } }),
  /** While a question is open, and the agent asks for its answer, the attempt waits: its time and its silence do not count. */
  event({
    type: 'attempt.question_asked',
    moves: ['task', 'attempt'],
    text: (asked) => ({ ...asked, spec: redactedQuestion(asked.spec) }),
    data: {
      ...attempt,
      ...agent,
      /** Unique within the task. */
      question: z.string(),
      spec: questionSpecSchema,
      /** Epoch milliseconds from which the attempt waits. */
      asked_at_ms: z.int(),
    },
  }),
  /** A question has exactly one answer: the first. */
  event({
    type: 'attempt.question_answered',
    moves: ['task', 'attempt'],
    text: ({ content, comment, rule, ...rest }) => {
      if (content === undefined && comment === undefined && rule === undefined) return null;
      return comment === undefined ? rest : { ...rest, comment: REDACTED };
    },
    data: {
      ...task,
      /** The attempt that waits for it; null if it does not run any more: it was parked. */
      attempt: z.int().min(1).nullable(),
      question: z.string(),
      action: z.enum(ANSWER_ACTIONS),
      option: z.string().optional(),
      content: answerContentSchema.optional(),
      comment: z.string().optional(),
      /** The rule that it records for later questions. */
      rule: recordedRuleSchema.optional(),
      /** The new deadline of the attempt, if it waits no longer: later by the time that it has waited. */
      deadline_ms: z.int().optional(),
    },
  }),
  /** A user gave it more time: its deadline is later, and until then its silence does not count either. */
  event({
    type: 'attempt.extended',
    moves: ['attempt'],
    data: { ...attempt, deadline_ms: z.int(), silent_until_ms: z.int() },
  }),
  /** Nothing of the agent has asked for the answers for a while: its time and its silence count again. */
  event({
    type: 'attempt.wait_ended',
    moves: ['attempt'],
    data: {
      ...attempt,
      reason: z.string(),
      /** The new deadline of the attempt: later by the time that it has waited. */
      deadline_ms: z.int(),
    },
  }),
  /** The agent asks for an answer again. */
  event({
    type: 'attempt.wait_resumed',
    moves: ['attempt'],
    data: {
      ...attempt,
      /** Epoch milliseconds from which the attempt waits. */
      waiting_since_ms: z.int(),
    },
  }),
  event({
    type: 'attempt.stop_requested',
    moves: ['attempt'],
    data: { ...attempt, reason: z.enum(STOP_REASONS) },
  }),
  event({
    type: 'attempt.ended',
    moves: ['task', 'attempt', 'agent'],
    closes: 'attempt',
    /** Numbers and outcome stay; what the agent wrote goes. */
    text: ({ error, stderr_tail, evidence, ...rest }) => {
      if (error === undefined && stderr_tail === undefined && evidence === undefined) return null;
      return error === undefined ? rest : { ...rest, error: REDACTED };
    },
    data: {
      ...attempt,
      ...agent,
      outcome: z.enum(ATTEMPT_OUTCOMES),
      exit_code: z.int().optional(),
      signal: z.string().optional(),
      error: z.string().optional(),
      stderr_tail: z.string().optional(),
      peak_memory_bytes: z.int().optional(),
      cpu_ms: z.int().optional(),
      usage: usageSchema.optional(),
      /** The session that a later attempt can continue; empty if the earlier one cannot be continued. */
      session: z.string().optional(),
      evidence: z.record(z.string(), z.unknown()).optional(),
      /** What proves the transcript; absent if its process has printed nothing. */
      transcript: transcriptProofSchema.optional(),
      /** Epoch milliseconds of the next attempt, or null if another one makes no sense. */
      retry_at_ms: z.int().nullable(),
    },
  }),
  /** A message that came too late, or from an attempt that is not open. It changes nothing. */
  event({
    type: 'attempt.message_rejected',
    moves: [],
    marks: ['attempt'],
    data: {
      ...attempt,
      message: z.enum(['status', 'output', 'comment', 'heartbeat', 'result', 'question']),
      reason: z.string(),
    },
  }),
] as const;
