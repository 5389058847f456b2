/** Signalbox as a running agent sees it: the log of questions and answers, which outlives a restart. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { deferred } from '../../../src/base/deferred.ts';
import type { SignalboxError } from '../../../src/contracts/errors.ts';
import { declaredProgram } from '../../../src/drivers/declared/declared-program.ts';
import { resolveDriver } from '../../../src/drivers/declared/resolve-driver.ts';
import type { DriverConfig } from '../../../src/drivers/declared/spec.ts';
import type { Run, RunAnswer, RunQuestion, RunRequest } from '../../../src/drivers/driver.ts';
import { ProgramDriver } from '../../../src/drivers/program-driver.ts';
import { createProcessRunner } from '../../../src/process/host-runner.ts';
import type { ProcessRunner } from '../../../src/process/runner.ts';
import { runRequest } from '../../support/process/run-request.ts';

function fake(path: string): string {
  return fileURLToPath(new URL(`../../fixtures/drivers/${path}`, import.meta.url));
}

/** An agent of the laboratory: a ready driver with another program. */
export interface LabAgent {
  readonly driver: string;
  readonly changes: DriverConfig;
  readonly args: string[];
  readonly options: Record<string, string>;
}

export const CLAUDE: LabAgent = {
  driver: 'claude',
  changes: { program: fake('claude/fake-claude.mjs') },
  args: ['--permission-mode', 'acceptEdits'],
  options: { model: 'm1' },
};

/** @param how how it answers before its first prompt (fake-acp.mjs) */
export function acp(how: object = {}, options: LabAgent['options'] = {}): LabAgent {
  return {
    driver: 'opencode-acp',
    changes: {
      program: fake('acp/fake-acp.mjs'),
      args: [JSON.stringify(how)],
      resume_args: [JSON.stringify(how)],
      answer_seconds: 1.5,
    },
    args: [],
    options,
  };
}

/** A line that an agent got: of Claude Code, or of JSON-RPC. */
interface GotLine {
  readonly type?: string;
  readonly response?: { readonly request_id: string; readonly response: object };
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: object;
  readonly result?: object;
  readonly error?: object;
}

export class ConversationLab {
  agent: LabAgent;
  readonly directory = mkdtempSync(join(tmpdir(), 'signalbox-conversation-'));
  readonly questions: RunQuestion[] = [];
  readonly answers: RunAnswer[] = [];
  /** Ids of questions, as often as they were withdrawn. */
  readonly withdrawn: string[] = [];
  readonly #runners: ProcessRunner[] = [];
  readonly #runs: Run[] = [];
  #asked = deferred();
  refuse: SignalboxError | null = null;

  constructor(agent: LabAgent) {
    this.agent = agent;
  }

  driver(): ProgramDriver {
    for (const runner of this.#runners) runner.close();
    const runner = createProcessRunner({ log: pino({ level: 'silent' }), pollMs: 50 });
    this.#runners.push(runner);
    const services = { runner, url: () => 'http://127.0.0.1:9', installation: this.directory.slice(-6) };
    const { driver, changes, args, options } = this.agent;
    const program = declaredProgram({
      ...services,
      spec: resolveDriver({ [driver]: changes }, driver),
      args,
      options,
      env: { PATH: process.env.PATH ?? '' },
      maxOutputBytes: 2_000_000,
      output: 'stdout',
      resume: true,
    });
    return new ProgramDriver(services, program);
  }

  request(plan: readonly object[], changes: Partial<RunRequest> = {}): RunRequest {
    const attempt = changes.attempt ?? 1;
    return runRequest({
      attempt,
      directory: join(this.directory, String(attempt)),
      prompt: () => `Do it.\nPLAN: ${JSON.stringify(plan)}\nThank you.`,
      ask: async (question) => {
        if (this.refuse) throw this.refuse;
        if (this.questions.some(({ id }) => id === question.id)) return;
        this.questions.push(question);
        this.#asked.resolve();
        this.#asked = deferred();
      },
      withdraw: (question) => void this.withdrawn.push(question),
      ...changes,
    });
  }

  async start(plan: readonly object[], changes: Partial<RunRequest> = {}): Promise<Run> {
    const run = await this.driver().start(this.request(plan, changes));
    this.#runs.push(run);
    return run;
  }

  /** As after `kill -9` of Signalbox: another runner and driver, and all answers of the log once more. */
  async adopt(plan: readonly object[]): Promise<Run> {
    for (const run of this.#runs) run.detach();
    const adoption = await this.driver().adopt(this.request(plan));
    if (adoption.kind !== 'running') throw new Error(`it is ${adoption.kind}`);
    this.#runs.push(adoption.run);
    for (const answer of this.answers) adoption.run.answer?.(answer);
    return adoption.run;
  }

  async question(number: number): Promise<RunQuestion> {
    while (this.questions.length < number) await this.#asked.promise;
    const question = this.questions[number - 1];
    if (!question) throw new Error(`no question ${number}`);
    return question;
  }

  answer(run: Run | null, question: RunQuestion, how: Partial<RunAnswer> = {}): RunAnswer {
    const chosen = question.options?.find(({ id }) => id === how.option);
    const given: RunAnswer = { action: 'accepted', question: question.id, by: 'user:ann', chosen, ...how };
    this.answers.push(given);
    run?.answer?.(given);
    return given;
  }

  /** Every line that the program got, in the first attempt. */
  got(attempt = 1): GotLine[] {
    const file = join(this.directory, String(attempt), 'work', 'got.jsonl');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  /** The answers that it got, by request. */
  replies(): (readonly [string | undefined, object | undefined])[] {
    return this.got()
      .filter(({ type }) => type === 'control_response')
      .map(({ response }) => [response?.request_id, response?.response]);
  }

  async dispose(): Promise<void> {
    for (const run of this.#runs) run.stop(0);
    await Promise.race([
      Promise.all(this.#runs.slice(-1).map((run) => run.ended)),
      new Promise((resolve) => setTimeout(resolve, 5_000)),
    ]);
    for (const runner of this.#runners) runner.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
