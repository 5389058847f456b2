/** The commands that prepare a new worktree, such as `npm ci`: one after the other, each with its output in files. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { tailOf } from '../process/files/tail.ts';
import type { ManagedProcess, ProcessExit, ProcessRunner } from '../process/runner.ts';
import type { SetUpReport, SetUpRequest, SetUpStep } from './workspaces.ts';

const MAX_OUTPUT_BYTES = 1_048_576;
const TAIL_BYTES = 4_096;
const GRACE_MS = 2_000;

export interface SetUpPlace {
  readonly runner: ProcessRunner;
  /** Where the commands run. */
  readonly worktree: string;
  /** For their output; each run of the commands has a directory of its own below it. */
  readonly directory: string;
  /** Marks their processes; `/set-up/RUN/NUMBER` is added. */
  readonly marker: string;
  /** Of this run: never used before. */
  readonly run: string;
}

/** Runs the commands until one fails. Never rejects. */
export async function setUp(place: SetUpPlace, request: SetUpRequest): Promise<SetUpReport> {
  const steps: SetUpStep[] = [];
  try {
    await endEarlier(place);
    const deadline = Date.now() + request.timeoutMs;
    for (const [index, command] of request.commands.entries()) {
      const number = `${place.run}/${index + 1}`;
      const { step, failure } = await runStep(place, request, command, number, deadline);
      steps.push(step);
      if (failure !== null) return { steps, failure };
    }
    return { steps, failure: null };
  } catch (error) {
    return { steps, failure: messageOf(error) };
  }
}

/** Kills what a run has left that a crash has interrupted. Its output stays. */
async function endEarlier({ runner, directory, marker }: SetUpPlace): Promise<void> {
  for (const run of await readdir(directory).catch(() => [])) {
    for (const number of await readdir(join(directory, run)).catch(() => [])) {
      const adoption = await runner.adopt(join(directory, run, number), `${marker}/set-up/${run}/${number}`);
      if (adoption.kind !== 'never_started') await adoption.process.kill({ graceMs: 0 });
    }
    await rm(join(directory, run), { recursive: true, force: true });
  }
}

async function runStep(
  { runner, worktree, directory, marker }: SetUpPlace,
  { env, signal }: SetUpRequest,
  command: readonly string[],
  number: string,
  deadline: number,
): Promise<{ readonly step: SetUpStep; readonly failure: string | null }> {
  const startedAt = Date.now();
  const place = join(directory, number);
  await mkdir(join(place, '..'), { recursive: true, mode: 0o700 });
  const process = await runner.spawn({
    directory: place,
    command,
    cwd: worktree,
    env,
    marker: `${marker}/set-up/${number}`,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  const why = await untilEnded(process, Math.max(0, deadline - startedAt), signal);
  const { exit } = await process.exited;
  // Also what a command has left in the background.
  await process.kill({ graceMs: GRACE_MS });
  const outputs = await Promise.all([
    tailOf(join(place, 'stdout.log'), TAIL_BYTES),
    tailOf(join(place, 'stderr.log'), TAIL_BYTES),
  ]);
  const output = outputs.filter((text) => text !== '').join('\n');
  const step = { command, exit: why ?? exitText(exit), durationMs: Date.now() - startedAt, output };
  const failed = why ?? (exit.kind === 'exited' && exit.code === 0 ? null : exitText(exit));
  return { step, failure: failed === null ? null : `"${command.join(' ')}": ${failed}` };
}

/** @returns why it was ended; null if it ended by itself */
async function untilEnded(
  process: ManagedProcess,
  limitMs: number,
  signal: AbortSignal,
): Promise<string | null> {
  let why: string | null = null;
  const end = (reason: string): void => {
    why ??= reason;
    void process.kill({ graceMs: GRACE_MS });
  };
  const onAbort = (): void => end('the attempt was stopped');
  const timer = setTimeout(() => end('it took longer than the set-up may take'), limitMs);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  await process.exited;
  clearTimeout(timer);
  signal.removeEventListener('abort', onAbort);
  return why;
}

function exitText(exit: ProcessExit): string {
  switch (exit.kind) {
    case 'exited':
      return `exited with code ${exit.code}`;
    case 'signalled':
      return `ended by ${exit.signal}`;
    case 'spawn_failed':
    case 'lost':
      return exit.reason;
  }
}
