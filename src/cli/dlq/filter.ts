/** Which dead letters a command is about. */
import { type Command, Option } from 'commander';
import { DEAD_STATES } from '../../contracts/tasks.ts';
import { type ClientOptions, withClientOptions } from '../client-options.ts';

export interface FilterOptions extends ClientOptions {
  readonly agent?: string;
  readonly status?: (typeof DEAD_STATES)[number];
  readonly state?: (typeof DEAD_STATES)[number];
  readonly allProjects?: true;
}

export function withFilterOptions(command: Command): Command {
  return withClientOptions(command)
    .option('--agent <id>', 'only tasks of this agent')
    .addOption(new Option('--status <status>', 'only those with this status').choices(DEAD_STATES))
    .addOption(new Option('--state <status>', 'the same as --status').choices(DEAD_STATES).hideHelp())
    .option('--all-projects', 'those of all projects');
}

export function filterOf({ project, agent, state, status = state, allProjects }: FilterOptions) {
  return {
    ...(allProjects ? {} : { project }),
    ...(agent === undefined ? {} : { agent }),
    ...(status === undefined ? {} : { status }),
  };
}
