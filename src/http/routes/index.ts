/** All operations, declared once: for HTTP, and for whoever else offers them. */
import type { AppContext } from '../../app/context.ts';
import type { HealthReport } from '../../contracts/answers.ts';
import type { Serve } from '../operation.ts';
import { serveAgentWords } from './agent-words.ts';
import { serveAgents } from './agents.ts';
import { serveAttempts } from './attempts.ts';
import { serveAudit } from './audit.ts';
import { serveDeadLetters } from './dead-letters.ts';
import { serveDecisions } from './decisions.ts';
import { type ListRejected, serveRejectedMessages } from './rejected-messages.ts';
import { serveState } from './state.ts';
import { serveSystem } from './system.ts';
import { serveTasks } from './tasks.ts';

export interface Served {
  readonly app: AppContext;
  readonly health: () => HealthReport;
  /** Absent where agents are not heard over NATS. */
  readonly rejected?: ListRejected;
}

export function serveOperations(serve: Serve, { app, health, rejected = async () => [] }: Served): void {
  serveTasks(serve, app);
  serveDecisions(serve, app);
  serveAgentWords(serve, app);
  serveAttempts(serve, app);
  serveAgents(serve, app);
  serveDeadLetters(serve, app);
  serveAudit(serve, app);
  serveState(serve, app);
  serveRejectedMessages(serve, rejected);
  serveSystem(serve, health);
}
