/** `signalbox schedule`: tasks that are created at set times. */
import type { SignalboxClient } from '../../client/client.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import type { ScheduleAnswer } from '../../contracts/api/schedules.ts';
import { taskKey } from '../../contracts/ids.ts';
import { CompletedArgument } from '../arguments.ts';
import type { CommandRow, Example } from '../command.ts';
import {
  clientOf,
  type DecisionOptions,
  decisionOf,
  type ServerOptions,
  withDecision,
  withServer,
} from '../options.ts';
import { countText, printAnswer, printList } from '../output.ts';
import { add } from './add.ts';
import { scheduleColumns, scheduleLines } from './text.ts';

const ls: CommandRow = {
  name: 'ls',
  summary: 'list schedules',
  description: 'Lists the schedules with their next time and their last run.',
  examples: [['List all schedules', 'signalbox schedule ls']],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      const { schedules: rows } = await clientOf(options).listSchedules();
      printList(terminal, options, { rows, columns: scheduleColumns, empty: 'no schedules' });
    }),
};

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
        printAnswer(terminal, options, answer, scheduleLines);
      }),
};

type Input = Decision & { readonly schedule: string };

interface Row {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly Example[];
  readonly done: (answer: ScheduleAnswer) => string;
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
    done: () => 'is paused',
    send: (client, input) => client.pauseSchedule(input),
  },
  {
    name: 'resume',
    summary: 'resume a schedule',
    description:
      'Resumes a schedule. Times that passed while it was paused are not made up for: see "backfill".',
    examples: [['Resume a schedule', 'signalbox schedule resume nightly']],
    done: () => 'is active',
    send: (client, input) => client.resumeSchedule(input),
  },
  {
    name: 'trigger',
    summary: 'create a task of a schedule now',
    description: 'Creates a task of the schedule now, whatever its times and its overlap policy are.',
    examples: [['Run a schedule once now', 'signalbox schedule trigger nightly']],
    done: ({ project, runs: [run] }) =>
      `has created a task${run ? `: ${taskKey({ project, task: run.task })}` : ''}`,
    send: (client, input) => client.triggerSchedule(input),
  },
  {
    name: 'rm',
    summary: 'remove a schedule',
    description: 'Removes a schedule; its tasks stay. One of the configuration comes back at the next start.',
    examples: [['Remove a schedule', 'signalbox schedule rm nightly']],
    done: () => 'is removed',
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
          printAnswer(terminal, options, answer, (schedule) => `schedule ${id} ${done(schedule)}`);
        }),
  };
}

const backfill: CommandRow = {
  name: 'backfill',
  summary: 'run past times of a schedule',
  description:
    'Runs the times of a past range that have no task: one after the other, or at once with the overlap policy allow_all.',
  examples: [
    ['Make up for a day', 'signalbox schedule backfill nightly --from 2026-01-31 --until 2026-01-31'],
  ],
  add: (command, terminal) =>
    withServer(command)
      .addArgument(scheduleArgument())
      .requiredOption('--from <day>', 'first day in the zone of the schedule (2026-01-31), or a time')
      .requiredOption('--until <day>', 'last day, or a time')
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
