/** Options that several commands share: the server, the project, decisions, the configuration, the event log. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { incomingTrace } from '../base/trace-context.ts';
import { DEFAULT_URL, SignalboxClient } from '../client/client.ts';
import type { Decision } from '../contracts/api/requests.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { append } from './arguments.ts';

/** Where Signalbox listens, and the caller's token. */
export interface AddressOptions {
  readonly url: string;
  readonly tokenFile?: string;
}

export interface JsonOption {
  readonly json?: true;
}

export interface ServerOptions extends AddressOptions, JsonOption {}

export interface ClientOptions extends ServerOptions {
  readonly project: string;
}

export interface ByOption {
  readonly by?: string;
}

export interface DecisionOptions extends ByOption {
  readonly comment?: string;
}

/** The configuration file; `dataDir` replaces its setting. */
export interface ConfigOptions {
  readonly config?: string;
  readonly dataDir?: string;
}

/** Where the event log is. */
export interface LogOptions extends ConfigOptions {
  readonly natsUrl?: string;
  readonly natsContext?: string;
}

/** The event log, or a file with events of it. */
export interface SourceOptions extends LogOptions, JsonOption {
  readonly file?: string;
  readonly bundle?: string;
}

/** The event log or a bundle, and the public keys to trust. */
export interface TrustOptions extends LogOptions {
  readonly bundle?: string;
  readonly key?: readonly string[];
}

/** Requests are repeated this often: a user is waiting, so an absent server is reported soon. */
const RETRIES = 2;

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON');
}

export function withAddress(command: Command): Command {
  const text = `port of signalbox.config.yaml in this directory, otherwise ${DEFAULT_URL}`;
  return command
    .hook('preAction', async (_, action) => {
      // An empty variable counts as not set.
      if (action.getOptionValueSource('url') !== 'default' && action.getOptionValue('url') !== '') return;
      const { localAddress } = await import('./local-address.ts');
      action.setOptionValue('url', (await localAddress(process.cwd())) ?? DEFAULT_URL);
    })
    .addOption(
      new Option('--url <url>', 'address of Signalbox').env('SIGNALBOX_URL').default(DEFAULT_URL, text),
    )
    .addOption(
      new Option('--token-file <file>', 'file with your token (default: the token in SIGNALBOX_TOKEN)').env(
        'SIGNALBOX_TOKEN_FILE',
      ),
    );
}

export function withServer(command: Command): Command {
  return withJson(withAddress(command));
}

export function withProject(command: Command): Command {
  return withServer(command).addOption(
    new Option('--project <id>', 'project of the task').env('SIGNALBOX_PROJECT').default('default'),
  );
}

export function withBy(command: Command): Command {
  return command.option('--by <name>', `your name, recorded with the decision ${OWN_NAME}`);
}

/** @param comment what the comment is for. @param isNeeded whether the decision must have one */
export function withDecision(
  command: Command,
  comment = 'reason for the decision',
  isNeeded = false,
): Command {
  if (isNeeded) command.requiredOption('--comment <text>', comment);
  else command.option('--comment <text>', comment);
  return withBy(command);
}

export function decisionOf({
  comment,
  ...options
}: DecisionOptions & Pick<AddressOptions, 'tokenFile'>): Decision {
  const { by } = byOf(options);
  return comment === undefined ? { by } : { by, comment };
}

/** Who decides: with a token, Signalbox knows. */
export function byOf({ by, tokenFile }: ByOption & Pick<AddressOptions, 'tokenFile'>): {
  readonly by: string | undefined;
} {
  return { by: by ?? ownName({ tokenFile }) };
}

/** What an option for the name of the user says about its default. */
export const OWN_NAME = '(default: the name of your token; without one, your user name)';

/** The name of the user; undefined with a token, whose name Signalbox knows. */
export function ownName({ tokenFile }: Pick<AddressOptions, 'tokenFile'>): string | undefined {
  return tokenIn(tokenFile) === undefined ? userName() : undefined;
}

export function withConfigFile(command: Command): Command {
  return command.option(
    '--config <file>',
    'configuration file (default: signalbox.config.yaml, if it exists)',
  );
}

export function withConfig(command: Command): Command {
  return withConfigFile(command).option('--data-dir <directory>', 'data directory (env: SIGNALBOX_DATA_DIR)');
}

export function withNats(command: Command, what: string): Command {
  return command
    .option('--nats-url <url>', `${what} (env: NATS_URL)`)
    .option(
      '--nats-context <name>',
      'context of the nats command line, instead of --nats-url (env: NATS_CONTEXT)',
    );
}

export function withLogLevel(command: Command): Command {
  return command.option(
    '--log-level <level>',
    'debug, info, warn, error or silent (env: SIGNALBOX_LOG_LEVEL)',
  );
}

export function withLog(command: Command): Command {
  return withNats(withConfig(command), 'NATS server that has the event log');
}

export function withSource(command: Command): Command {
  const log = ['natsUrl', 'natsContext', 'dataDir'];
  const file = new Option('--file <file>', 'read events from this file, one stored event per line');
  const bundle = new Option('--bundle <file>', 'read events from a bundle written by "audit export"');
  return withJson(
    withLog(command)
      .addOption(file.conflicts([...log, 'bundle']))
      .addOption(bundle.conflicts(log)),
  );
}

/** With `--data-dir`, a bundle is also compared with what that directory has recorded of the log. */
export function withTrust(command: Command): Command {
  const bundle = new Option('--bundle <file>', 'verify this bundle of "audit export" instead of the log');
  return withLog(command)
    .addOption(bundle.conflicts(['natsUrl', 'natsContext']))
    .option(
      '--key <file-or-fingerprint>',
      'trust this public key and those signed by it (repeatable; default: the first key of the log)',
      append,
    );
}

export interface Patience {
  /** How often a request is repeated, if it may be. */
  readonly retries?: number;
  /** Milliseconds that one request may take. */
  readonly timeoutMs?: number;
}

/** @throws SignalboxError `invalid_request` if the URL is not valid or the token file cannot be read */
export function clientOf(
  { url, tokenFile }: AddressOptions,
  { retries = RETRIES, ...patience }: Patience = {},
): SignalboxClient {
  // An agent that creates a task with this program does so within the trace of its attempt.
  const trace = incomingTrace(process.env.TRACEPARENT, process.env.TRACESTATE);
  return new SignalboxClient({ ...patience, url, retry: { retries }, token: tokenIn(tokenFile), trace });
}

/** There is no option for the token itself: every user of the machine can read the arguments of a process. */
function tokenIn(file: string | undefined): string | undefined {
  if (file === undefined) return process.env.SIGNALBOX_TOKEN || undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw unreadable('--token-file', file, cause);
  }
}

/** @param what the option or kind of file */
export function unreadable(what: string, file: string, cause: unknown): SignalboxError {
  const text = `${what} ${file} cannot be read: ${messageOf(cause)}`;
  return new SignalboxError('invalid_request', text, { cause });
}

/** The user of this machine; `operator` if the user has no name, as in a container. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'operator';
  }
}
