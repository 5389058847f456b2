/** The events of agents. */
import { z } from 'zod';
import { ADDRESS, event } from './event.ts';

const { agent } = ADDRESS;
const withReason = { ...agent, reason: z.string() };
const mayHaveReason = { ...agent, reason: z.string().optional() };

export const AGENT_EVENTS = [
  event({
    type: 'agent.registered',
    moves: ['agent'],
    opens: 'agent',
    data: { ...agent, driver: z.string(), capabilities: z.array(z.string()), concurrency: z.int().min(1) },
  }),
  event({ type: 'agent.paused', moves: ['agent'], data: mayHaveReason }),
  event({ type: 'agent.drained', moves: ['agent'], data: mayHaveReason }),
  event({ type: 'agent.resumed', moves: ['agent'], data: mayHaveReason }),
  /** The circuit breaker: the agent claims nothing until then. */
  event({ type: 'agent.parked', moves: ['agent'], data: { ...withReason, until_ms: z.int() } }),
  /** That time is over: one attempt is let through to see whether the agent works again. */
  event({ type: 'agent.probed', moves: ['agent'], data: agent }),
  event({ type: 'agent.unparked', moves: ['agent'], data: agent }),
  /** The first worker of a remote agent has announced itself. */
  event({ type: 'agent.connected', moves: ['agent'], data: { ...agent, worker: z.string() } }),
  /** Its last worker has left, or was silent for too long. */
  event({ type: 'agent.disconnected', moves: ['agent'], data: withReason }),
  /** A rule that an answer recorded no longer holds. */
  event({
    type: 'agent.permission_revoked',
    moves: [],
    marks: ['agent'],
    data: { ...mayHaveReason, rule: z.string() },
  }),
  event({ type: 'agent.retired', moves: ['agent'], data: withReason }),
] as const;
