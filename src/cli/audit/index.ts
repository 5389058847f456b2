/** `signalbox audit`: verifies, exports, reports and redacts the event log. */
import { InvalidArgumentError, Option } from 'commander';
import { printable } from '../../base/text/printable.ts';
import type { AuditStatusAnswer, VerificationAnswer } from '../../contracts/api/audit-status.ts';
import type { Redact } from '../../contracts/api/requests.ts';
import type { LogPosition } from '../../features/audit/export-bundle.ts';
import { numberOf, taskArgument } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import {
  type ByOption,
  byOf,
  type ClientOptions,
  clientOf,
  type ServerOptions,
  withBy,
  withJson,
  withLog,
  withProject,
  withServer,
  withTrust,
} from '../options.ts';
import { printAnswer } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import type { ExportOptions } from './export-file.ts';
import { keys } from './keys.ts';
import type { ReportOptions, VerifyOptions } from './verify.ts';

const verify: CommandRow = {
  name: 'verify',
  summary: 'verify that the log was not changed',
  description:
    'Reads the whole log of a running or stopped Signalbox, or a bundle, and verifies sequence numbers, the hash chain, ' +
    'ids, every transition, signed checkpoints and their keys, redactions, and the end recorded in the data directory. ' +
    'Exit code 0 if everything is correct, 1 if not; each finding names the sequence.',
  examples: [
    ['Verify the log of the configuration in this directory', 'signalbox audit verify'],
    [
      'Verify a bundle with a key that you have stored',
      'signalbox audit verify --bundle june.ndjson --key signalbox.pem',
    ],
  ],
  add: (command, terminal) =>
    withJson(withTrust(command)).action(async (options: VerifyOptions) => {
      const { verifyLog } = await import('./verify.ts');
      await verifyLog(terminal, options);
    }),
};

const status: CommandRow = {
  name: 'status',
  summary: 'show the newest checkpoint and verification',
  description:
    'Shows the end of the log and its hash, the newest signed checkpoint, and the newest verification.',
  examples: [['Show the audit status of a running Signalbox', 'signalbox audit status']],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      const answer = await clientOf(options).readAuditStatus();
      printAnswer(terminal, options, answer, (current) => statusLines(terminal, current));
    }),
};

function statusLines(terminal: Terminal, answer: AuditStatusAnswer): string[] {
  const {
    sequence,
    head_sha256: hash,
    keys: count,
    checkpoint,
    unsigned_events: unsigned,
    verification,
  } = answer;
  const dim = (label: string): string => terminal.style('dim', label.padEnd(12));
  return [
    `${dim('events')}${sequence}`,
    `${dim('hash')}${hash}`,
    `${dim('keys')}${count}`,
    checkpoint === null
      ? `${dim('checkpoint')}none: only the hash chain protects these events`
      : `${dim('checkpoint')}up to event ${checkpoint.sequence}, at ${checkpoint.time}; only the hash chain protects the ${unsigned} events after it`,
    `${dim('verified')}${verification === null ? 'not since Signalbox was started' : verificationText(terminal, verification)}`,
  ];
}

function verificationText(terminal: Terminal, verification: VerificationAnswer): string {
  const { state, by, checked, total, started_at: started, ended_at: ended, finding } = verification;
  const who = printable(by);
  switch (state) {
    case 'running':
      return `${checked} of ${total} events so far, requested by ${who}, since ${started}`;
    case 'passed':
      return terminal.style('green', `${checked} events are correct, at ${ended}, requested by ${who}`);
    case 'failed': {
      const where = finding?.sequence ? `event ${finding.sequence}: ` : '';
      return terminal.style(
        'red',
        `${where}${printable(finding?.message ?? '')} (at ${ended}, requested by ${who})`,
      );
    }
  }
}

const exportLog: CommandRow = {
  name: 'export',
  summary: 'export events to a file that others can verify',
  description:
    'Writes a bundle: events with their exact bytes, hashes of the other events, checkpoints and public keys. ' +
    'docs/reference/audit.md describes the format; examples/verify-bundle verifies it without Signalbox.',
  examples: [
    ['Export everything', 'signalbox audit export --output all.ndjson'],
    ['Export one task', 'signalbox audit export --project demo --task T-12 --output T-12.ndjson'],
    [
      'Export a month',
      'signalbox audit export --from 2026-06-01T00:00:00Z --to 2026-06-30T23:59:59Z > june.ndjson',
    ],
  ],
  add: (command, terminal) =>
    withLog(command)
      .option('--project <id>', 'only events of this project')
      .option('--task <id>', 'only events of this task (in project "default" without --project)')
      .option(
        '--from <position>',
        'first event: a sequence, or a time such as 2026-03-01T14:03:00Z',
        positionOf,
      )
      .option('--to <position>', 'last event, in the same form', positionOf)
      .option('--output <file>', 'file to write; must not exist (default: standard output)')
      .action(async (options: ExportOptions) => {
        const { exportToFile } = await import('./export-file.ts');
        await exportToFile(terminal, options);
      }),
};

function positionOf(text: string): LogPosition {
  if (/^\d+$/.test(text)) return { sequence: Number(text) };
  const time = Date.parse(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time)) return { time };
  throw new InvalidArgumentError('Expected a sequence, or a time such as 2026-03-01T14:03:00Z.');
}

const report: CommandRow = {
  name: 'report',
  summary: 'write a report about one task',
  description:
    'Writes a page about a task: every event with its actor, time, attempt, output, evidence, sequence and hash, and what ' +
    'its agents said and did, as far as their output is on this machine, with whether it is what the log proves. Also ' +
    'verifies the whole log or bundle, and states the result on the page; exit codes are those of "audit verify".',
  examples: [
    ['Write a page for the browser', 'signalbox audit report T-12 --output T-12.html'],
    ['Report from a bundle', 'signalbox audit report T-12 --project demo --bundle june.ndjson --format md'],
  ],
  add: (command, terminal) =>
    withTrust(command)
      .addArgument(taskArgument())
      .addOption(
        new Option('--project <id>', 'project of the task').env('SIGNALBOX_PROJECT').default('default'),
      )
      .addOption(
        new Option(
          '--format <format>',
          'html or md (default: from the name of the file, otherwise html)',
        ).choices(['html', 'md']),
      )
      .option('--output <file>', 'file to write (default: standard output)')
      .action(async (id: string, options: ReportOptions) => {
        const { reportTask } = await import('./verify.ts');
        await reportTask(terminal, id, options);
      }),
};

const PARTS = ['description', 'output', 'comment', 'attempt', 'event'] as const;

const redact: CommandRow = {
  name: 'redact',
  summary: 'erase content from the log',
  description:
    'Erases content from the log and from the disk. The event, its time, its author and the hash of its content remain, ' +
    'so the hash chain stays valid. This cannot be undone.',
  examples: [
    [
      'Erase an output that contains a password',
      'signalbox audit redact --task T-12 --output 2 --reason "a password"',
    ],
    [
      'Erase a progress report by its sequence',
      'signalbox audit redact --task T-12 --event 4711 --reason "names"',
    ],
  ],
  add: (command, terminal) => {
    withProject(command)
      .requiredOption('--task <id>', 'the task')
      .requiredOption('--reason <text>', 'reason for the redaction; stays in the log');
    for (const option of [
      new Option('--description', 'title, description, parameters, must-haves and labels of the task'),
      new Option('--output <number>', 'an output and its captured file').argParser(numberOf),
      new Option('--comment <number>', 'a comment, numbered as in "task show"').argParser(numberOf),
      new Option('--attempt <number>', 'the recorded end of an attempt, and its files').argParser(numberOf),
      new Option('--event <sequence>', 'any event of the task, by its sequence').argParser(numberOf),
    ]) {
      command.addOption(option.conflicts(PARTS.filter((part) => part !== option.attributeName())));
    }
    withBy(command).action(async (options: ClientOptions & Redact & ByOption & { readonly task: string }) => {
      const { url, tokenFile, json, ...request } = options;
      const answer = await clientOf({ url, tokenFile }).redactTask({ ...request, ...byOf(options) });
      printAnswer(
        terminal,
        { json },
        answer,
        ({ id }) => `erased the content; task ${id} shows a marker in its place`,
      );
    });
  },
};

export const audit: CommandRow = {
  name: 'audit',
  summary: 'verify, export, report and redact the event log',
  description: 'Verifies, exports, reports and redacts the event log.',
  examples: [
    ['Verify the log', 'signalbox audit verify'],
    ['Write a report about a task', 'signalbox audit report T-12 --output T-12.html'],
  ],
  commands: [verify, status, exportLog, report, redact, keys],
};
