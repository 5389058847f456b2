/** What every command that talks to a running Signalbox takes. */
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { DEFAULT_URL, SignalboxClient } from '../client/client.ts';

export interface ServerOptions {
  readonly url: string;
  readonly json?: true;
}

export interface ClientOptions extends ServerOptions {
  readonly project: string;
}

/** A person is waiting: a Signalbox that is not there is to be said soon. */
const RETRIES = 2;

export function withServerOptions(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'where Signalbox listens').env('SIGNALBOX_URL').default(DEFAULT_URL))
    .option('--json', 'print JSON for programs');
}

export function withClientOptions(command: Command): Command {
  return withServerOptions(command).addOption(
    new Option('--project <id>', 'the project of the task').env('SIGNALBOX_PROJECT').default('default'),
  );
}

/** @throws SignalboxError `invalid_request` where the URL is not one */
export function clientOf({ url }: ServerOptions): SignalboxClient {
  return new SignalboxClient({ url, retry: { retries: RETRIES } });
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
