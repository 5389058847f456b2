/** Copies of one stored log, each edited once, and what Signalbox says of it. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { checkConfig } from '../../../src/config/parse-config.ts';
import type { HealthReport } from '../../../src/contracts/api/system-answers.ts';
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { EVENT_STREAM } from '../../../src/contracts/messages/subjects.ts';
import { Daemon } from '../../../src/daemon/daemon.ts';
import { layoutOf } from '../../../src/daemon/embedded/layout.ts';
import { isStreamMissing } from '../../../src/journal/jetstream/event-stream.ts';
import { silentLogger } from '../engine.ts';
import { embeddedServer } from '../nats/embedded.ts';
import { Random } from '../simulation/random.ts';
import { type EditKind, editFiles, editStream, isFileEdit } from './edits.ts';

export interface Edit {
  readonly seed: number;
  readonly kind: EditKind;
  /** `restart`: while it runs, and the server is then killed, and started again by Signalbox. */
  readonly when: 'stopped' | 'running' | 'restart';
  readonly snapshot: boolean;
}

/** How Signalbox took an edit, and after how many milliseconds. */
export interface Outcome {
  readonly outcome: string;
  readonly ms: number;
}

/** Seconds between two verifications: longer than the server keeps an unused block in memory. */
const PAUSE_SECONDS = 11;
/** Within which damage is reported, with these settings. */
export const REPORT_MS = 40_000;
/** Large enough for several blocks of the store. */
const TASKS = 100;
const TEXT = 240_000;

export class DamageLab implements AsyncDisposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Fills a log with three blocks and a redaction. */
  static async create(): Promise<DamageLab> {
    const lab = new DamageLab(await mkdtemp(join(tmpdir(), 'signalbox-damage-')));
    const daemon = await start(lab.#base);
    const random = new Random(1);
    const text = random.id(1_000).repeat(TEXT / 1_000);
    for (let task = 1; task <= TASKS; task++) await create(daemon, `t${task}`, text);
    const redacted = await call(daemon, '/api/projects/demo/tasks/t7/redact', {
      description: true,
      reason: 'a test',
    });
    if (redacted.status !== 200) throw new Error(`not redacted: ${await redacted.text()}`);
    await daemon.stop('the log is full');
    return lab;
  }

  get #base(): string {
    return join(this.#directory, 'base');
  }

  /** Edits a copy of the log. @returns how Signalbox took it, or what is wrong with that, and after how long */
  async outcomeOf(edit: Edit): Promise<{ readonly done: string } & Outcome> {
    const random = new Random(edit.seed);
    const data = await mkdtemp(join(this.#directory, 'copy-'));
    await cp(this.#base, data, { recursive: true });
    // Each copy runs a server of its own.
    await rm(layoutOf(data).portFile, { force: true });
    if (!edit.snapshot) await rm(join(data, 'snapshots'), { recursive: true, force: true });
    try {
      if (edit.when === 'stopped') {
        const done = await editStopped(edit, data, random);
        return { done, ...(await startDamaged(data)) };
      }
      const daemon = await start(data);
      const done = await editRunning(edit, daemon, data, random).catch(async (error: unknown) => {
        await daemon.stop('a test');
        throw error;
      });
      return { done, ...(await reported(daemon, data)) };
    } finally {
      await rm(data, { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}

let lastStart: Promise<unknown> = Promise.resolve();

/** Starts take their turns: many at once would meet time limits on a small machine. */
function start(dataDirectory: string): Promise<Daemon> {
  const started = lastStart.then(() => startNow(dataDirectory));
  lastStart = started.catch(() => {});
  return started;
}

function startNow(dataDirectory: string): Promise<Daemon> {
  const config = checkConfig({
    data_dir: dataDirectory,
    server: { port: 0 },
    agents: { reviewer: { driver: 'command', command: ['true'] } },
    retention: { snapshot_events: 1_000_000 },
    verification: { events_per_second: 100_000, pause_seconds: PAUSE_SECONDS },
  });
  return Daemon.start({ config, logger: silentLogger, env: process.env, onFenced: () => {} });
}

async function editStopped({ kind }: Edit, data: string, random: Random): Promise<string> {
  if (isFileEdit(kind)) return editFiles(kind, data, random);
  await using running = await embeddedServer(data);
  const { url, user, password } = running.server;
  const connection = await connect({ servers: url, user, pass: password });
  try {
    return await editStream(kind, connection, random);
  } finally {
    await connection.close();
  }
}

async function editRunning(
  { kind, when }: Edit,
  { nats }: Daemon,
  data: string,
  random: Random,
): Promise<string> {
  // The server reads the block that it writes to without its name: a removal shows when the server stops.
  const blocks = kind === 'remove' && when === 'running' ? 'full' : 'all';
  const done = isFileEdit(kind)
    ? await editFiles(kind, data, random, blocks)
    : await editStream(kind, nats.connection, random);
  const pid = nats.embedded?.pid;
  if (when === 'restart' && pid) process.kill(pid, 'SIGKILL');
  return done;
}

async function startDamaged(data: string): Promise<Outcome> {
  const began = Date.now();
  let daemon: Daemon;
  try {
    daemon = await start(data);
  } catch (error) {
    return { outcome: refusal(error), ms: Date.now() - began };
  }
  return reported(daemon, data);
}

function refusal(error: unknown): string {
  if (!(error instanceof SignalboxError)) throw error;
  if (error.code === 'log_corrupt' || error.code === 'log_mismatch') return 'refused';
  return `refused as ${error.code}: ${error.message}`;
}

/** Waits for the report; then everything that the outside sees must agree, and nothing may be appended. */
async function reported(daemon: Daemon, data: string): Promise<Outcome> {
  const began = Date.now();
  let ms: number;
  try {
    while (daemon.health().log.integrity.state !== 'damaged') {
      if (Date.now() - began > REPORT_MS) return { outcome: 'not noticed', ms: REPORT_MS };
      await delay(100);
    }
    ms = Date.now() - began;
    const problem = await whatIsWrong(daemon);
    if (problem !== null) return { outcome: problem, ms };
  } finally {
    await daemon.stop('a test');
  }
  return { outcome: await nextStart(data), ms };
}

async function whatIsWrong(daemon: Daemon): Promise<string | null> {
  const before = await lastSequence(daemon);
  const problem = await contradiction(daemon);
  if (problem !== null) return problem;
  await delay(300);
  const after = await lastSequence(daemon);
  return after === before ? null : `${after - before} events were appended`;
}

async function nextStart(data: string): Promise<string> {
  try {
    await (await start(data)).stop('a test');
    return 'reported, and accepted by the next start';
  } catch (error) {
    const taken = refusal(error);
    return taken === 'refused' ? 'reported' : `reported, and then ${taken}`;
  }
}

async function contradiction(daemon: Daemon): Promise<string | null> {
  const ready = await call(daemon, '/ready');
  const { reason } = (await ready.json()) as HealthReport;
  if (ready.status !== 503 || !reason?.includes('damaged')) return `ready: ${ready.status} ${reason}`;
  const created = await call(daemon, '/api/projects/demo/tasks', { title: 'a task', agent: 'reviewer' });
  const refused = await created.text();
  if (created.status !== 503 || !refused.includes('log_corrupt'))
    return `create: ${created.status} ${refused}`;
  const status = await (await call(daemon, '/api/audit/status')).text();
  if (!status.includes('"damaged"')) return `audit status: ${status}`;
  const metrics = await (await call(daemon, '/metrics')).text();
  if (!/^signalbox_log_damaged 1$/m.test(metrics)) return 'the metrics do not say it';
  return null;
}

async function create(daemon: Daemon, id: string, description: string): Promise<void> {
  const task = { id, title: 'a task', description, agent: 'reviewer', delay_seconds: 86_400 };
  const answer = await call(daemon, '/api/projects/demo/tasks', task);
  if (answer.status !== 201) throw new Error(`not created: ${await answer.text()}`);
}

function call(daemon: Daemon, path: string, body?: object): Promise<Response> {
  const request = body && {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  };
  return fetch(`${daemon.url}${path}`, request);
}

/** 0 if there is no stream. Waits for a server that is being restarted. */
async function lastSequence({ nats }: Daemon): Promise<number> {
  const manager = await jetstreamManager(nats.connection, { checkAPI: false });
  const end = Date.now() + REPORT_MS;
  for (;;) {
    try {
      return (await manager.streams.info(EVENT_STREAM)).state.last_seq;
    } catch (error) {
      if (isStreamMissing(error)) return 0;
      if (Date.now() > end) throw error;
      await delay(100);
    }
  }
}
