/** `signalbox schedule add`. */
import { type Command, Option } from 'commander';
import type { SignalboxClient } from '../../client/client.ts';
import type { ScheduleAnswer } from '../../contracts/api/schedules.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { OVERLAPS } from '../../contracts/schedules.ts';
import { durationOf, priorityOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { type ClientOptions, clientOf, withProject } from '../options.ts';
import { printAnswer } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { timeText } from '../text/time.ts';

interface AddOptions extends ClientOptions {
  readonly cron?: string;
  readonly every?: number;
  readonly at?: string;
  readonly zone?: string;
  readonly jitter?: number;
  readonly overlap?: ScheduleAnswer['overlap'];
  readonly catchUp?: ScheduleAnswer['catch_up'];
  readonly catchUpWindow?: number;
  readonly pauseOnFailure?: true;
  readonly title: string;
  readonly description?: string;
  readonly agent?: string;
  readonly type?: string;
  readonly priority?: ReturnType<typeof priorityOf>;
  readonly review?: string;
}

export const add: CommandRow = {
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
        assertGiven(options);
        const { title, description, agent, type, priority, review } = options;
        const client = clientOf(options);
        const answer = await client.createSchedule({
          id,
          project: options.project,
          cron: options.cron,
          every_seconds: options.every,
          at: options.at,
          zone: options.zone,
          jitter_seconds: options.jitter,
          overlap: options.overlap,
          catch_up: options.catchUp,
          catch_up_window_seconds: options.catchUpWindow,
          pause_on_failure: options.pauseOnFailure,
          task: { title, description, agent, type, priority, review },
        });
        printAnswer(terminal, options, answer, ({ next: [first], zone }) => [
          `created schedule ${id}`,
          ...(first === undefined ? [] : [`its next time is ${timeText(first, zone)} ${zone}`]),
        ]);
        await noteMissingAgent(terminal, client, answer);
      }),
};

/** @throws SignalboxError `invalid_request` in the words of the command line */
function assertGiven({ cron, every, at, agent, type }: AddOptions): void {
  if ([cron, every, at].filter((each) => each !== undefined).length !== 1)
    throw new SignalboxError('invalid_request', 'give exactly one of --cron, --every and --at');
  if (agent === undefined && type === undefined) {
    throw new SignalboxError(
      'invalid_request',
      'give --agent for one agent, or --type for any agent with this capability',
    );
  }
}

/** A type that no agent has is accepted, since one may be added: but not without a word. */
async function noteMissingAgent(
  terminal: Terminal,
  client: SignalboxClient,
  { id, agent, type }: ScheduleAnswer,
): Promise<void> {
  if (agent !== null || type === null) return;
  const { agents } = await client.listAgents();
  if (agents.some(({ capabilities }) => capabilities.includes(type))) return;
  terminal.note(
    `signalbox: the tasks of ${id} will wait: no agent in the configuration has the capability ${type}`,
  );
}

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
    .option(
      '--catch-up-window <time>',
      'times that were missed longer ago are not run (default: 1d)',
      durationOf,
    )
    .option('--pause-on-failure', 'pause it when one of its tasks fails');
}
