/** Runs an operation for a server: every answer comes within its time limit. */
import type { Clock } from '../base/environment.ts';
import { withLimit } from '../base/time.ts';
import { type Caller, namesNoProject } from './access/access.ts';
import { lateError } from './errors.ts';
import type { CallContext, Operation, RawInput, Reply } from './operation.ts';
import type { Services } from './services.ts';

export interface Limits {
  readonly clock: Clock;
  /** Milliseconds that an answer may take, beyond the wait that the caller asks for. */
  readonly limitMs: number;
}

/**
 * The handler continues after the time limit: the outcome of a command is then unknown, and the error says so.
 * @throws SignalboxError what the operation throws, and `log_unavailable` if it takes too long
 */
export async function perform(
  operation: Operation,
  services: Services,
  input: RawInput,
  context: CallContext,
  { clock, limitMs }: Limits,
): Promise<Reply> {
  const { waitMs, run } = operation.accept(withOwnProject(operation, input, context.caller));
  const limit = limitMs + waitMs;
  const late = (): never => {
    throw lateError(operation.http.method, limit);
  };
  return withLimit(run(services, context), limit, late, clock);
}

/** The input with the caller's own project, if the query could name one, and the caller is an attempt that names none. */
function withOwnProject({ isProjectInQuery }: Operation, input: RawInput, { attempt }: Caller): RawInput {
  const { query } = input;
  if (!isProjectInQuery || attempt === null || !namesNoProject(query)) return input;
  const given = typeof query === 'object' ? query : {};
  return { ...input, query: { ...given, project: attempt.project } };
}
