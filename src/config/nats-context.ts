/**
 * Contexts of the `nats` command line: the address of a server and the credentials for it, in a file with a name.
 *
 * Every field of a context takes effect or is refused, with the file and the field; only its name, description and colours
 * are ignored. No message contains a value of a context, except paths of files.
 */
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Variables } from '../base/environment.ts';
import { readExactJson } from '../base/exact-json.ts';
import { hasCode } from '../contracts/errors.ts';
import { configError, issueAt } from './issues.ts';
import { settingsSchema } from './schema/config.ts';

export interface NatsContext {
  /** As in NATS_URL: one or several, separated by commas, possibly with a user and a password. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** A file with the seed of an nkey, or with a JWT and its seed. */
  readonly credentialsFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Whether the server speaks TLS from the first byte on. */
  readonly isTlsFirst: boolean;
}

/** The default of `nats`. */
const DEFAULT_URL = 'nats://127.0.0.1:4222';

const text = z
  .string('expected text')
  .nullish()
  .transform((value) => value ?? '');
/** The fields that take effect. */
const FIELDS = {
  url: text,
  user: text,
  password: text,
  token: text,
  creds: text,
  nkey: text,
  cert: text,
  key: text,
  ca: text,
  tls_first: z.boolean('expected true or false').nullish(),
};
const contextSchema = z.looseObject(FIELDS);
type Fields = z.output<typeof contextSchema>;

const FILE_FIELDS = ['creds', 'nkey', 'cert', 'key', 'ca'] as const;

/** Fields that only people and the output of `nats` use. */
const IGNORED_FIELDS = ['name', 'description', 'color_scheme'];

/** References, which newer versions of `nats` resolve: to 1Password, nsc, a variable, or the text itself. */
const REFERENCE = /^(?:op|nsc|env|file):\/\/|^data:/i;

/** @throws SignalboxError `config_invalid` with everything that is wrong, each with file and field */
export async function readNatsContext(name: string, env: Variables): Promise<NatsContext> {
  const file = join(env.XDG_CONFIG_HOME || join(homeOf(env), '.config'), 'nats', 'context', `${name}.json`);
  const fields = await readFields(name, file);
  const paths = Object.fromEntries(FILE_FIELDS.map((field) => [field, pathOf(fields[field], env)]));
  const problems = [...unusable(fields), ...contradictions(fields), ...(await unreadable(paths))];
  if (problems.length > 0) {
    throw configError(problems.map(([field, message]) => issueAt(file, field, message)));
  }
  const { user, password, token } = fields;
  const given = {
    ...(user !== '' && { user, password }),
    token: token || undefined,
    credentialsFile: paths.creds ?? paths.nkey,
    caFile: paths.ca,
    certFile: paths.cert,
    keyFile: paths.key,
  };
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return { url: urlOf(fields), ...Object.fromEntries(present), isTlsFirst: fields.tls_first === true };
}

async function readFields(name: string, file: string): Promise<Fields> {
  const source = await readFile(file, 'utf8').catch((error: unknown) => {
    const why = hasCode(error, 'ENOENT') ? 'there is no such file' : 'cannot be read';
    const message = `${why}, so there is no NATS context ${name}: make it with "nats context add ${name}", or name another`;
    throw configError([issueAt(file, '', message)], error);
  });
  const json = readExactJson(source);
  if (!json.ok) {
    // Without the parser's message, which quotes the file and so maybe a password.
    throw configError([
      issueAt(file, '', 'is not JSON with every key once: make it again with "nats context add"'),
    ]);
  }
  const read = contextSchema.safeParse(json.value);
  if (read.success) return read.data;
  throw configError(
    read.error.issues.map(({ path, message }) =>
      issueAt(file, path.join('.'), path.length === 0 ? 'expected a map of fields' : message),
    ),
  );
}

type FieldProblem = readonly [field: string, message: string];

/** Fields that Signalbox does not support, and references that it cannot resolve. */
function unusable(fields: Fields): FieldProblem[] {
  const known = [...Object.keys(FIELDS), ...IGNORED_FIELDS];
  const others = Object.entries(fields).filter(([field, value]) => !known.includes(field) && !isEmpty(value));
  const problems = others.map(
    ([field]): FieldProblem => [field, 'Signalbox does not support this field: use a context without it'],
  );
  for (const field of ['password', 'token', ...FILE_FIELDS] as const) {
    const value = fields[field];
    if (!REFERENCE.test(value) || (isFile(field) && value.startsWith('file://'))) continue;
    const wanted = isFile(field) ? 'the path of a file' : 'the value itself';
    problems.push([field, `Signalbox does not look up references such as op:// and env://: give ${wanted}`]);
  }
  const url = settingsSchema.shape.nats_url.safeParse(urlOf(fields));
  for (const { message } of url.error?.issues ?? []) problems.push(['url', message]);
  return problems;
}

function contradictions(fields: Fields): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const given = (['user', 'token', 'creds', 'nkey'] as const).filter((field) => fields[field] !== '');
  const [first = '', ...more] = urlOf(fields).includes('@') ? ['url', ...given] : given;
  if (more.length > 0) {
    problems.push([first, `${[first, ...more].join(' and ')} all give credentials: keep one of them`]);
  }
  for (const [field, other] of [
    ['password', 'user'],
    ['cert', 'key'],
    ['key', 'cert'],
  ] as const) {
    if (fields[field] !== '' && fields[other] === '') problems.push([field, `has no ${other} beside it`]);
  }
  return problems;
}

async function unreadable(paths: Readonly<Record<string, string | undefined>>): Promise<FieldProblem[]> {
  const problems: FieldProblem[] = [];
  for (const [field, path] of Object.entries(paths)) {
    if (path === undefined) continue;
    try {
      await access(path, constants.R_OK);
    } catch {
      problems.push([field, `the file ${path} is missing or cannot be read`]);
    }
  }
  return problems;
}

/** With `~` and variables replaced as `nats` does; a relative path is relative to the current directory. */
function pathOf(value: string, env: Variables): string | undefined {
  if (value === '' || (REFERENCE.test(value) && !value.startsWith('file://'))) return undefined;
  const replaced = value
    .replace(/^file:\/\//, '')
    .replace(
      /\$(?:\{(\w+)\}|(\w+))/g,
      (_, braced: string | undefined, plain = '') => env[braced ?? plain] ?? '',
    );
  return resolve(replaced.replace(/^~(?=\/|$)/, homeOf(env)));
}

function urlOf({ url }: Fields): string {
  return url.replaceAll(/\s*,\s*/g, ',').trim() || DEFAULT_URL;
}

function homeOf(env: Variables): string {
  return env.HOME || homedir();
}

function isFile(field: string): boolean {
  return (FILE_FIELDS as readonly string[]).includes(field);
}

function isEmpty(value: unknown): boolean {
  return !value || (Array.isArray(value) && value.length === 0);
}
