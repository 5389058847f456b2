/** Runs one check: a driver, a fake program, and a temporary directory. */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { withLimit } from '../../../base/time.ts';
import { taskSpecSchema } from '../../../contracts/tasks.ts';
import { commandProgram } from '../../../drivers/command.ts';
import { declaredProgram } from '../../../drivers/declared/declared-program.ts';
import type { DriverSpec } from '../../../drivers/declared/spec.ts';
import type {
  Driver,
  ResumedSession,
  Run,
  RunEnd,
  RunQuestion,
  RunRequest,
} from '../../../drivers/driver.ts';
import { ProgramDriver } from '../../../drivers/program-driver.ts';
import { type Judgement, judge } from '../../../engine/supervisor/outcome.ts';
import { createProcessRunner } from '../../../process/host-runner.ts';
import type { ProcessRunner } from '../../../process/runner.ts';
import { acpReplies } from './acp-sample.ts';
import { type Behaviour, FakeProgram } from './fake-program.ts';
import { SAMPLE } from './sample.ts';

/** A driver under test: data, or the plain command. */
export type Subject = DriverSpec | 'command';

const MAX_OUTPUT_BYTES = 10_000_000;
const RUN_LIMIT_MS = 30_000;
const GRACE_MS = 200;
const ANSWER_SECONDS = 2;
export const TOKEN = 'secret-token';

export class Harness {
  readonly program: FakeProgram;
  readonly questions: RunQuestion[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'signalbox-conformance-'));
  readonly #subject: Subject;
  readonly #installation = randomBytes(6).toString('hex');
  readonly #runners: ProcessRunner[] = [];
  readonly #runs: Run[] = [];

  constructor(subject: Subject, behaviour: Behaviour) {
    this.#subject = subject;
    const replies = isAcp(subject) ? acpReplies(SAMPLE.session) : [];
    this.program = new FakeProgram(join(this.#directory, 'program'), { replies, ...behaviour });
  }

  /** The driver as created by a new Signalbox. */
  driver(): Driver {
    for (const runner of this.#runners) runner.close();
    const runner = createProcessRunner({ log: pino({ level: 'silent' }), pollMs: 50 });
    this.#runners.push(runner);
    const options = { runner, url: () => 'http://127.0.0.1:9', installation: this.#installation };
    const common = {
      env: { PATH: process.env.PATH ?? '' },
      maxOutputBytes: MAX_OUTPUT_BYTES,
      output: 'stdout',
    } as const;
    if (this.#subject === 'command') {
      const settings = { ...common, command: [this.program.path, '{prompt_file}'], prompt: 'file' } as const;
      return new ProgramDriver(options, commandProgram(settings));
    }
    const spec = {
      ...this.#subject,
      program: this.program.path,
      settle: undefined,
      answer_seconds: Math.min(this.#subject.answer_seconds, ANSWER_SECONDS),
    };
    return new ProgramDriver(
      options,
      declaredProgram({ ...common, ...options, spec, args: [], options: {}, resume: true }),
    );
  }

  order(prompt = 'Do it.', attempt = 1, resumes: ResumedSession | null = null): RunRequest {
    return {
      project: 'conformance',
      task: 't',
      attempt,
      agent: 'tested',
      spec: SPEC,
      token: TOKEN,
      directory: join(this.#directory, 'attempts', String(attempt)),
      prompt: () => prompt,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: undefined,
      claimedAt: Date.now(),
      startedOn: null,
      timeoutMs: RUN_LIMIT_MS,
      killGraceMs: GRACE_MS,
      url: null,
      resumes,
      withdraw: () => {},
      ask: async (question) => {
        this.questions.push(question);
      },
    };
  }

  async start(order: RunRequest = this.order(), driver: Driver = this.driver()): Promise<Run> {
    const run = await driver.start(order);
    this.#runs.push(run);
    return run;
  }

  /** @throws Error if it does not end */
  async endOf(run: Run): Promise<RunEnd> {
    return within(run.ended, RUN_LIMIT_MS, 'the run does not end');
  }

  async run(order: RunRequest = this.order()): Promise<RunEnd> {
    return this.endOf(await this.start(order));
  }

  async close(): Promise<void> {
    for (const run of this.#runs) {
      run.stop(0);
      await within(run.ended, 5_000, '').catch(() => {});
    }
    for (const runner of this.#runners) runner.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export function isAcp(subject: Subject): boolean {
  return subject !== 'command' && subject.conversation === 'acp';
}

/** The judgement of the supervisor. */
export function judged({ result, failure, outputs }: RunEnd): Judgement {
  return judge(result, { verdict: null, stopReason: null }, outputs.length > 0, { failure });
}

export async function within<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  return withLimit(work, limitMs, () => {
    throw new Error(`${what} within ${limitMs / 1_000} s`);
  });
}

export async function withHarness<T>(
  subject: Subject,
  behaviour: Behaviour,
  work: (harness: Harness) => Promise<T>,
): Promise<T> {
  const harness = new Harness(subject, behaviour);
  try {
    return await work(harness);
  } finally {
    await harness.close();
  }
}

/** @throws Error with the reason for a failed check */
export function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

export async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await condition())) {
    hold(performance.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}

const SPEC = taskSpecSchema.parse({
  title: 'Conformance',
  description: '',
  priority: 5,
  max_attempts: 1,
  backoff: {},
  review: 'manual',
  outputs: 'required',
});
