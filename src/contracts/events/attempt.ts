/** The events of attempts. */
import { z } from 'zod';
import { ATTEMPT_OUTCOMES, STOP_REASONS, usageSchema } from '../tasks.ts';
import { ADDRESS, event, REDACTED } from './event.ts';

const { attempt, agent } = ADDRESS;

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
      message: z.enum(['status', 'output', 'comment', 'heartbeat', 'result']),
      reason: z.string(),
    },
  }),
] as const;
