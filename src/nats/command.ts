/** The operations as NATS commands: their subjects, and what the payload holds. */
import type { MsgHdrs } from '@nats-io/transport-node';
import { SYSTEM_PROJECT } from '../contracts/ids.ts';
import { commandSubject } from '../contracts/messages/subjects.ts';
import { HTTP_SERVICES, type Operation, paramNames } from '../operations/operation.ts';

export interface Command {
  /** With `*` for the project if the caller names it. */
  readonly subject: string;
  /** Whether the subject says which project is meant. */
  readonly isOfProject: boolean;
  /** The other path parameters: fields of the payload, such as `task`, `attempt`, `agent`. */
  readonly params: readonly string[];
}

/** @param anyProject stands in the subject for the project that the caller names */
export function commandOf(
  { name, http, project = SYSTEM_PROJECT }: Pick<Operation, 'name' | 'http' | 'project'>,
  anyProject = '*',
): Command {
  const named = paramNames(http.path);
  const isOfProject = named.includes('project');
  return {
    subject: commandSubject(isOfProject ? anyProject : project, name),
    isOfProject,
    params: named.filter((param) => param !== 'project'),
  };
}

/** The names of header fields, each as often as it has a value. */
export function namesIn(headers: MsgHdrs): string[] {
  return headers.keys().flatMap((name) => headers.values(name).map(() => name));
}

/** Whether an operation can be a command: request and reply are one message each. */
export function isCommand({ needs }: Operation): boolean {
  return !HTTP_SERVICES.some((service) => service === needs);
}
