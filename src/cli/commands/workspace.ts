/** `signalbox workspace`: where the work of tasks is. */
import { oneLine } from '../../base/text/printable.ts';
import type { WorkspaceAnswer } from '../../contracts/workspace-api.ts';
import { taskArgument } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import {
  type ByOption,
  byOf,
  type ClientOptions,
  clientOf,
  type ServerOptions,
  withBy,
  withProject,
  withServer,
} from '../options.ts';
import { countText, printAnswer, printList } from '../output.ts';
import type { Column } from '../text/table.ts';
import { clockText } from '../text/time.ts';

const ls: CommandRow = {
  name: 'ls',
  summary: 'list workspaces',
  description: 'Lists the workspaces that exist, also those whose tasks are settled.',
  examples: [['List all workspaces', 'signalbox workspace ls']],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      const { workspaces: rows } = await clientOf(options).listWorkspaces();
      printList(terminal, options, { rows, columns, empty: 'no workspaces' });
    }),
};

function columns(): readonly Column<WorkspaceAnswer>[] {
  return [
    { title: 'TASK', text: ({ task }) => task, isName: true },
    { title: 'PROJECT', text: ({ project }) => project },
    { title: 'STATE', text: stateText, style: ({ problem, kept }) => ((problem ?? kept) ? 'yellow' : null) },
    { title: 'BRANCH', text: ({ branch, base }) => branch ?? `at ${base.slice(0, 12)}` },
    { title: 'PATH', text: ({ path }) => path },
  ];
}

function stateText({ state, merged, kept, problem }: WorkspaceAnswer): string {
  if (kept !== null) return 'kept';
  if (problem !== null) return `${state}, with a problem`;
  return merged === null ? state : 'merged';
}

const show: CommandRow = {
  name: 'show',
  summary: 'show the workspace of a task',
  description: 'Shows the workspace of a task: its directory, its branch, and what became of the work.',
  examples: [
    ['Go to the workspace of a task', 'cd "$(signalbox workspace show k3v9x2m1q8zt --json | jq -r .path)"'],
  ],
  add: (command, terminal) =>
    withProject(command)
      .addArgument(taskArgument())
      .action(async (task: string, options: ClientOptions) => {
        const answer = await clientOf(options).readWorkspace({ project: options.project, task });
        printAnswer(terminal, options, answer, linesOf);
      }),
};

function linesOf(answer: WorkspaceAnswer): string[] {
  const { path, repository, branch, target, base, merged, problem, kept, removed_at, on_approve } = answer;
  const row = (name: string, text: string | null): string[] =>
    text === null ? [] : [`${name.padEnd(12)}${oneLine(text)}`];
  return [
    path,
    ...row('state', answer.state),
    ...row('repository', repository),
    ...row('branch', branch),
    ...row('for', target),
    ...row('base', base),
    ...row('on approval', on_approve),
    ...row('merged', merged && `${merged.commit} ${clockText(merged.time)}`),
    ...row('problem', problem),
    ...row('kept', kept),
    ...row('removed', removed_at && `${clockText(removed_at)}, if nothing would be lost`),
  ];
}

const rm: CommandRow = {
  name: 'rm',
  summary: 'remove the workspace of a settled task',
  description:
    'Removes the workspace of a settled task. With work that is nowhere else it stays, unless --discard is given: then ' +
    'what is not committed is lost. What is committed stays on its branch.',
  examples: [['Remove a workspace with everything in it', 'signalbox workspace rm k3v9x2m1q8zt --discard']],
  add: (command, terminal) =>
    withBy(withProject(command))
      .addArgument(taskArgument())
      .option('--discard', 'also if work is lost with it')
      .action(async (task: string, options: ClientOptions & ByOption & { readonly discard?: true }) => {
        const { project, discard } = options;
        const answer = await clientOf(options).removeWorkspace({ project, task, discard, ...byOf(options) });
        printAnswer(terminal, options, answer, ({ removed, reason }) =>
          removed
            ? `the workspace of task ${task} is removed`
            : `the workspace of task ${task} is not removed yet${reason === null ? '' : `: ${oneLine(reason)}`}`,
        );
      }),
};

const prune: CommandRow = {
  name: 'prune',
  summary: 'remove workspaces in which nothing would be lost',
  description:
    'Removes the workspaces of settled tasks in which nothing would be lost, before their time, and says why others are kept.',
  examples: [['See what would be removed', 'signalbox workspace prune --dry-run']],
  add: (command, terminal) =>
    withBy(withServer(command))
      .option('--dry-run', 'only say what would be removed')
      .action(async (options: ServerOptions & ByOption & { readonly dryRun?: true }) => {
        const answer = await clientOf(options).pruneWorkspaces({ dry_run: options.dryRun, ...byOf(options) });
        printAnswer(terminal, options, answer, ({ dry_run, removed, kept }) => [
          `${countText(removed.length, 'workspace')} ${dry_run ? 'would be removed' : 'removed'}, ${kept.length} kept`,
          ...removed.map(({ project, task }) => `  removed  ${project} ${task}`),
          ...kept.map(({ project, task, reason }) => `  kept     ${project} ${task}: ${oneLine(reason)}`),
        ]);
      }),
};

export const workspace: CommandRow = {
  name: 'workspace',
  summary: 'list and remove the worktrees of tasks',
  description: 'Lists, shows and removes workspaces: the git worktrees in which agents work.',
  examples: [
    ['List all workspaces', 'signalbox workspace ls'],
    ['Remove those that are merged', 'signalbox workspace prune'],
  ],
  commands: [ls, show, rm, prune],
};
