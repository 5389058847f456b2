/** What every decision of a person takes on the command line. */
import type { Command } from 'commander';
import type { Decision } from '../contracts/api/requests.ts';
import { userName } from './client-options.ts';

export interface DecisionOptions {
  readonly comment?: string;
  readonly by: string;
}

/** @param comment what it is for. @param isNeeded whether the decision has to have one */
export function withDecisionOptions(command: Command, comment = 'why', isNeeded = false): Command {
  if (isNeeded) command.requiredOption('--comment <text>', comment);
  else command.option('--comment <text>', comment);
  return command.option('--by <name>', 'who decides', userName());
}

export function decisionOf({ comment, by }: DecisionOptions): Decision {
  return comment === undefined ? { by } : { by, comment };
}
