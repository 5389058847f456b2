/** A run: load and havoc for a while, then rest, then the verdict. */
import { join } from 'node:path';
import { execa } from 'execa';
import { builtCli } from '../process/build.ts';
import { Random } from '../simulation/random.ts';
import { until } from '../until.ts';
import { Havoc } from './havoc.ts';
import { Load, PROJECT } from './load.ts';
import { aliveAgents, processesOf, readNotes } from './notes.ts';
import { type Mode, Stage, type Takeover } from './stage.ts';
import { judge, type LogFigures } from './verdict.ts';

export interface ChaosOptions {
  readonly mode: Mode;
  readonly seed: number;
  readonly seconds: number;
}

export interface ChaosResult extends ChaosOptions {
  readonly natsServer: string;
  readonly blows: Readonly<Record<string, number>>;
  readonly created: number;
  readonly commands: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly runs: number;
  readonly log: LogFigures;
  readonly takeovers: readonly Takeover[];
  /** How processes of Signalbox ended that were not killed. */
  readonly ends: readonly string[];
  /** After the last blow, until a Signalbox was ready, and until all tasks were at their end. */
  readonly readySeconds: number;
  readonly restSeconds: number;
  readonly violations: readonly string[];
}

/** After the last blow, every task has to come to its end within this time. */
const REST_MS = 90_000;
/** The words with which a process ends that has met what must not be. */
const NEVER = /unexpected error|does not replay|log_corrupt/;

export async function wreakHavoc({ mode, seed, seconds }: ChaosOptions): Promise<ChaosResult> {
  const random = new Random(seed);
  await using stage = await Stage.open(mode, random);
  await until(() => stage.url !== '', 'a Signalbox is ready', 30_000);
  const load = new Load(stage, random);
  const havoc = new Havoc(stage, random);
  load.begin();
  havoc.begin();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  await havoc.end();
  await load.end();

  const start = performance.now();
  await until(async () => (await load.ask('/ready')).status === 200, 'a Signalbox is ready', REST_MS);
  const readySeconds = (performance.now() - start) / 1_000;
  const violations: string[] = [];
  const left = await load.finish(REST_MS);
  if (left > 0)
    violations.push(`${REST_MS} ms after the last blow ${left} tasks and attempts are not finished`);
  const restSeconds = (performance.now() - start) / 1_000;
  violations.push(...(await remains(stage)));
  violations.push(...(await checked(stage, 'rebuild', ['rebuild', '--url', stage.url])));
  const { nats } = (await load.ask('/health')).body as { nats: { version: string } };
  await stage.stop();
  violations.push(...(await checked(stage, 'audit verify', ['audit', 'verify'])));
  violations.push(...(await checked(stage, 'replay check', ['replay', 'check'])));
  const notes = await readNotes(stage.directory);
  const verdict = await judge({ project: PROJECT, file: await logOf(stage), ledger: load.ledger, notes });
  violations.push(...verdict.violations, ...stage.ends.filter((reason) => NEVER.test(reason)));
  return {
    mode,
    seed,
    seconds,
    natsServer: nats.version,
    blows: havoc.counts,
    created: load.ledger.created.size,
    commands: load.ledger.done.size,
    refused: load.ledger.refused.size,
    unanswered: load.ledger.unanswered,
    runs: notes.length,
    log: verdict.figures,
    takeovers: stage.takeovers,
    ends: stage.ends,
    readySeconds,
    restSeconds,
    violations,
  };
}

async function remains({ directory }: Stage): Promise<string[]> {
  const violations: string[] = [];
  const left = await processesOf(directory);
  if (left.length > 0) violations.push(`processes of agents are left: ${left.join()}`);
  const agents = await aliveAgents(directory);
  if (agents.length > 0) violations.push(`agents are alive: ${agents.join()}`);
  return violations;
}

async function checked(stage: Stage, what: string, args: readonly string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await cli(stage, args, 'pipe');
  return exitCode === 0 ? [] : [`"${what}" ended with ${exitCode}: ${stderr}${stdout}`.slice(0, 2_000)];
}

async function logOf(stage: Stage): Promise<string> {
  const file = join(stage.directory, 'log.ndjson');
  const args = ['events', 'tail', '--from', '1', '--no-follow', '--stored'];
  const { exitCode, stderr } = await cli(stage, args, { file });
  if (exitCode !== 0) throw new Error(`the log cannot be read: ${stderr}`);
  return file;
}

async function cli({ directory, env }: Stage, args: readonly string[], stdout: 'pipe' | { file: string }) {
  return execa(process.execPath, [await builtCli(), ...args, '--data-dir', join(directory, 'data')], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    stdout,
  });
}
