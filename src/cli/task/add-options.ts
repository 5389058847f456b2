/** The options of `task add`, and the fields of the task that they stand for. */
import { readFile } from 'node:fs/promises';
import { buffer as readAll } from 'node:stream/consumers';
import { utf8Text } from '../../base/text/utf8.ts';
import type { NewTask } from '../../client/client.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { type ClientOptions, unreadable } from '../options.ts';

export interface AddOptions extends ClientOptions {
  readonly id?: string;
  readonly idempotencyKey?: string;
  readonly agent?: string;
  readonly type?: string;
  readonly description?: string;
  readonly file?: string;
  readonly params?: Record<string, unknown>;
  readonly mustHave?: readonly string[];
  readonly priority?: NewTask['priority'];
  readonly delay?: number;
  readonly expiresAt?: string;
  readonly timeout?: number;
  readonly maxAttempts?: number;
  readonly review?: string;
  readonly label?: Record<string, string>;
  readonly link?: readonly string[];
  readonly from?: string;
  readonly action?: string;
  readonly dependsOn?: readonly string[];
  readonly parent?: string;
  readonly join?: true;
  readonly followUp?: readonly string[];
  readonly notBefore?: string;
  readonly quiet?: true;
  readonly wait?: true;
  readonly template?: string;
  readonly input?: Readonly<Record<string, string>>;
  readonly copy?: string;
}

/** What a line of a file says goes before an option; an option that was not given says nothing. */
export function withoutUndefined(fields: Omit<NewTask, 'title'>): Omit<NewTask, 'title'> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export async function taskOf(options: AddOptions): Promise<Omit<NewTask, 'title'>> {
  const { agent, type } = options;
  return {
    id: options.id,
    idempotency_key: options.idempotencyKey,
    agent,
    type,
    action: options.action,
    parent: options.parent,
    join: options.join,
    depends_on: options.dependsOn && [...options.dependsOn],
    follow_ups: options.followUp?.map((title) => ({ title, agent, type })),
    not_before: options.notBefore,
    description: await descriptionOf(options),
    params: options.params,
    must_haves: options.mustHave === undefined ? undefined : [...options.mustHave],
    priority: options.priority,
    delay_seconds: options.delay,
    expires_at: options.expiresAt,
    timeout_seconds: options.timeout,
    max_attempts: options.maxAttempts,
    review: options.review,
    labels: options.label,
    links: options.link === undefined ? undefined : [...options.link],
    source: 'cli',
  };
}

/** From the option itself, standard input or a file. @throws SignalboxError `invalid_request` */
export async function descriptionOf({
  description,
  file,
}: Pick<AddOptions, 'description' | 'file'>): Promise<string | undefined> {
  if (description === '-') return textOf('--description', '-');
  return file === undefined ? description : textOf('--file', file);
}

/** @param path "-" for standard input. @throws SignalboxError `invalid_request` */
export async function textOf(option: string, path: string): Promise<string> {
  const text = utf8Text(await bytesOf(option, path));
  if (text !== null) return text;
  throw invalid(`${option} ${path === '-' ? '(standard input)' : path}: it is not UTF-8: convert it first`);
}

/** @throws SignalboxError `invalid_request` */
async function bytesOf(option: string, path: string): Promise<Uint8Array> {
  if (path === '-') return readAll(process.stdin);
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(option, path, cause);
  }
}

export function invalid(message: string): SignalboxError {
  return new SignalboxError('invalid_request', message);
}
