/** `signalbox schedule`: tasks that are created at set times. */
import { type Command, Option } from 'commander';
import { oneLine } from '../../base/text/printable.ts';
import type { SignalboxClient } from '../../client/client.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import type { ScheduleAnswer } from '../../contracts/api/schedules.ts';
import { OVERLAPS } from '../../contracts/schedules.ts';
import { CompletedArgument, durationOf, priorityOf } from '../arguments.ts';
import type { CommandRow, Example } from '../command.ts';
import {
  type ClientOptions,
  clientOf,
  type DecisionOptions,
  decisionOf,
  type ServerOptions,
  withDecision,
  withProject,
  withServer,
} from '../options.ts';
import { countText, printAnswer, printList } from '../output.ts';
import type { Column } from '../text/table.ts';
import { ageText, clockText } from '../text/time.ts';

interface AddOptions extends ClientOptions {
  readonly cron?: string;
  readonly every?: number;
  readonly at?: string;
  readonly zone?: string;
  readonly jitter?: number;
  readonly overlap?: ScheduleAnswer['overlap'];
  readonly catchUp?: ScheduleAnswer['catch_up'];
  readonly pauseOnFailure?: true;
  readonly title: string;
  readonly description?: string;
  readonly agent?: string;
  readonly type?: string;
  readonly priority?: ReturnType<typeof priorityOf>;
  readonly review?: string;
}

const add: CommandRow = {
  name: 'add',
  summary: 'create a schedule',
  description:
    'Creates a schedule, which creates a task at each of its times. Title and description of the task may hold ' +
    '{{nominal_time}}, {{nominal_date}} and {{schedule_id}}. Schedules that belong to the installation are better ' +
    'kept in the configuration, under "schedules".',
  examples: [
    [
      'Every working day at nine',
      'signalbox schedule add standup --cron "0 9 * * 1-5" --zone Europe/Berlin --title "Report of {{nominal_date}}" --agent writer',
    ],
    ['Every hour', 'signalbox schedule add sweep --every 1h --title "Look for stale branches" --type git'],
  ],
  add: (command, terminal) =>
    withTimes(withProject(command))
      .argument('<id>', 'the new schedule')
      .requiredOption('--title <text>', 'title of its tasks')
      .option('--description <text>', 'description of its tasks')
      .option('--agent <id>', 'the agent that does them')
      .option('--type <type>', 'any agent with this capability does them')
      .option('--priority <priority>', '1 to 10, or low, normal or high', priorityOf)
      .option('--review <who>', 'manual, auto, or the agent that reviews')
      .action(async (id: string, options: AddOptions) => {
        const { title, description, agent, type, priority, review } = options;
        const answer = await clientOf(options).createSchedule({
          id,
          project: options.project,
          cron: options.cron,
          every_seconds: options.every,
          at: options.at,
          zone: options.zone,
          jitter_seconds: options.jitter,
          overlap: options.overlap,
          catch_up: options.catchUp,
          pause_on_failure: options.pauseOnFailure,
          task: { title, description, agent, type, priority, review },
        });
        printAnswer(terminal, options, answer, ({ next: [first] }) => [
          `created schedule ${id}`,
          ...(first === undefined ? [] : [`its next time is ${clockText(first)}`]),
        ]);
      }),
};

function withTimes(command: Command): Command {
  return command
    .option('--cron <pattern>', 'minute, hour, day of month, month, day of week')
    .option('--every <time>', 'a period such as 6h, counted from 1970-01-01T00:00Z', durationOf)
    .option('--at <time>', 'once, such as 2030-01-31T12:00:00Z')
    .option('--zone <name>', 'IANA time zone of --cron (default: UTC)')
    .option('--jitter <time>', 'delay each task by a random time, at most this long', durationOf)
    .addOption(
      new Option(
        '--overlap <policy>',
        'what to do if the previous task is not settled (default: skip)',
      ).choices([...OVERLAPS]),
    )
    .addOption(
      new Option('--catch-up <times>', 'which missed times to run after a downtime (default: one)').choices([
        'one',
        'all',
      ]),
    )
    .option('--pause-on-failure', 'pause it when one of its tasks fails');
}

const ls: CommandRow = {
  name: 'ls',
  summary: 'list schedules',
  description: 'Lists the schedules with their next time and their last run.',
  examples: [['List all schedules', 'signalbox schedule ls']],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      const { schedules: rows } = await clientOf(options).listSchedules();
      printList(terminal, options, { rows, columns, empty: 'no schedules' });
    }),
};

function columns(now: number): readonly Column<ScheduleAnswer>[] {
  return [
    { title: 'ID', text: ({ id }) => id, isName: true },
    { title: 'PROJECT', text: ({ project }) => project },
    { title: 'WHEN', text: whenText },
    {
      title: 'STATUS',
      text: ({ status }) => status,
      style: ({ status }) => (status === 'paused' ? 'yellow' : null),
    },
    { title: 'NEXT', text: ({ next: [first] }) => (first === undefined ? '-' : clockText(first)) },
    {
      title: 'LAST',
      text: ({ runs: [last] }) =>
        last === undefined ? '-' : `${last.task_status ?? 'settled'} ${ageText(last.fired_at, now)} ago`,
    },
    { title: 'TITLE', text: ({ title }) => title },
  ];
}

function whenText({ cron, every_seconds, at, zone }: ScheduleAnswer): string {
  if (cron !== null) return `${cron} ${zone}`;
  return every_seconds === null ? `at ${clockText(at ?? '')}` : `every ${every_seconds} s`;
}

const scheduleArgument = (): CompletedArgument =>
  new CompletedArgument('<id>', 'the schedule', { kind: 'schedules' });

const show: CommandRow = {
  name: 'show',
  summary: 'show a schedule',
  description: 'Shows a schedule: its next times, times that wait, and its newest runs.',
  examples: [['Show a schedule', 'signalbox schedule show nightly']],
  add: (command, terminal) =>
    withServer(command)
      .addArgument(scheduleArgument())
      .action(async (schedule: string, options: ServerOptions) => {
        const answer = await clientOf(options).readSchedule({ schedule });
        printAnswer(terminal, options, answer, linesOf);
      }),
};

function linesOf(schedule: ScheduleAnswer): string[] {
  const { id, status, project, title, overlap, catch_up, counts, reason, by, next, waiting, runs } = schedule;
  const why = reason === null ? '' : ` (${oneLine(reason)})`;
  const list = (name: string, times: readonly string[]): string[] =>
    times.length === 0 ? [] : [`${name.padEnd(10)}${times.map((each) => clockText(each)).join(', ')}`];
  return [
    `${id}: ${status}${by === null ? '' : ` by ${oneLine(by)}`}${why}`,
    `${'when'.padEnd(10)}${whenText(schedule)}, overlap ${overlap}, catch-up ${catch_up}`,
    `${'task'.padEnd(10)}${oneLine(title)} (project ${project})`,
    `${'so far'.padEnd(10)}${counts.fired} fired, ${counts.skipped} skipped, ${counts.missed} missed`,
    ...list('next', next),
    ...list('waiting', waiting),
    ...runs.map(
      ({ nominal_time, cause, task, task_status }) =>
        `  ${clockText(nominal_time)}  ${cause.padEnd(9)}${task}  ${task_status ?? 'settled'}`,
    ),
  ];
}

type Input = Decision & { readonly schedule: string };

interface Row {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly Example[];
  readonly done: string;
  readonly send: (client: SignalboxClient, input: Input) => Promise<ScheduleAnswer>;
}

const DECISIONS: readonly Row[] = [
  {
    name: 'pause',
    summary: 'pause a schedule',
    description: 'Pauses a schedule: its times pass without a task until it is resumed.',
    examples: [
      ['Pause a schedule', 'signalbox schedule pause nightly --comment "the disk is being replaced"'],
    ],
    done: 'is paused',
    send: (client, input) => client.pauseSchedule(input),
  },
  {
    name: 'resume',
    summary: 'resume a schedule',
    description:
      'Resumes a schedule. Times that passed while it was paused are not made up for: see "backfill".',
    examples: [['Resume a schedule', 'signalbox schedule resume nightly']],
    done: 'is active',
    send: (client, input) => client.resumeSchedule(input),
  },
  {
    name: 'trigger',
    summary: 'create a task of a schedule now',
    description: 'Creates a task of the schedule now, whatever its times and its overlap policy are.',
    examples: [['Run a schedule once now', 'signalbox schedule trigger nightly']],
    done: 'has created a task',
    send: (client, input) => client.triggerSchedule(input),
  },
  {
    name: 'rm',
    summary: 'remove a schedule',
    description: 'Removes a schedule; its tasks stay. One of the configuration comes back at the next start.',
    examples: [['Remove a schedule', 'signalbox schedule rm nightly']],
    done: 'is removed',
    send: (client, input) => client.removeSchedule(input),
  },
];

function decisionRow({ name, summary, description, examples, done, send }: Row): CommandRow {
  return {
    name,
    summary,
    description,
    examples,
    add: (command, terminal) =>
      withDecision(withServer(command))
        .addArgument(scheduleArgument())
        .action(async (id: string, options: ServerOptions & DecisionOptions) => {
          const answer = await send(clientOf(options), { schedule: id, ...decisionOf(options) });
          printAnswer(terminal, options, answer, () => `schedule ${id} ${done}`);
        }),
  };
}

const backfill: CommandRow = {
  name: 'backfill',
  summary: 'run past times of a schedule',
  description:
    'Runs the times of a past range that have no task: one after the other, or at once with the overlap policy allow_all.',
  examples: [
    [
      'Make up for a day',
      'signalbox schedule backfill nightly --from 2026-01-01T00:00:00Z --until 2026-01-02T00:00:00Z',
    ],
  ],
  add: (command, terminal) =>
    withServer(command)
      .addArgument(scheduleArgument())
      .requiredOption('--from <time>', 'the first time that counts')
      .requiredOption('--until <time>', 'the last time that counts')
      .action(
        async (id: string, options: ServerOptions & { readonly from: string; readonly until: string }) => {
          const { from, until } = options;
          const answer = await clientOf(options).backfillSchedule({ schedule: id, from, until });
          printAnswer(
            terminal,
            options,
            answer,
            ({ added, known }) => `${countText(added, 'time')} added, ${known} had a task already`,
          );
        },
      ),
};

export const schedule: CommandRow = {
  name: 'schedule',
  summary: 'create tasks at set times',
  description: 'Creates, lists and controls schedules: tasks that are created at set times.',
  examples: [
    ['List all schedules', 'signalbox schedule ls'],
    ['Pause a schedule', 'signalbox schedule pause nightly'],
  ],
  commands: [add, ls, show, ...DECISIONS.map(decisionRow), backfill],
};
