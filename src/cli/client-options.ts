/** What every command that talks to a running Signalbox takes. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { incomingTrace } from '../base/trace-context.ts';
import { DEFAULT_URL, SignalboxClient } from '../client/client.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';

/** Where Signalbox is, and who one is there. */
export interface AddressOptions {
  readonly url: string;
  readonly tokenFile?: string;
}

export interface ServerOptions extends AddressOptions {
  readonly json?: true;
}

export interface ClientOptions extends ServerOptions {
  readonly project: string;
}

/** A person is waiting: a Signalbox that is not there is to be said soon. */
const RETRIES = 2;

export function withAddressOptions(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'where Signalbox listens').env('SIGNALBOX_URL').default(DEFAULT_URL))
    .addOption(
      new Option(
        '--token-file <file>',
        'a file with the token to show; without it, the token of SIGNALBOX_TOKEN if there is one',
      ).env('SIGNALBOX_TOKEN_FILE'),
    );
}

export function withServerOptions(command: Command): Command {
  return withAddressOptions(command).option('--json', 'print JSON for programs');
}

export function withClientOptions(command: Command): Command {
  return withServerOptions(command).addOption(
    new Option('--project <id>', 'the project of the task').env('SIGNALBOX_PROJECT').default('default'),
  );
}

export interface ClientPatience {
  /** Of a request that may be repeated. */
  readonly retries?: number;
  /** Milliseconds that one request may take. */
  readonly timeoutMs?: number;
}

/**
 * @throws SignalboxError `invalid_request` where the URL is not one, or the token's file cannot be read
 */
export function clientOf(
  { url, tokenFile }: AddressOptions,
  { retries = RETRIES, ...patience }: ClientPatience = {},
): SignalboxClient {
  // An agent that creates a task by the command line does so within its attempt's trace.
  const trace = incomingTrace(process.env.TRACEPARENT, process.env.TRACESTATE);
  return new SignalboxClient({ ...patience, url, retry: { retries }, token: tokenIn(tokenFile), trace });
}

/** Never an argument of its own: those of a process can be seen by everybody. */
function tokenIn(file: string | undefined): string | undefined {
  if (file === undefined) return process.env.SIGNALBOX_TOKEN || undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new SignalboxError('invalid_request', `--token-file: ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Who decides and comments, where nothing else is said: the user of this machine. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user that has no name.
    return 'operator';
  }
}
