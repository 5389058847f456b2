/**
 * A command-line tool that tests configure: it records its arguments, standard input and environment, prints the output
 * planned for the call, and exits with the planned code.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type DeclaredSettings, declaredProgram } from '../../../src/drivers/declared/declared-program.ts';
import {
  type DriverConfigs,
  declaredDriverNames,
  resolveDriver,
} from '../../../src/drivers/declared/resolve-driver.ts';
import { ProgramDriver } from '../../../src/drivers/program-driver.ts';
import type { AgentDefinition } from '../../../src/engine/supervisor/agent-roster.ts';
import { createProcessRunner } from '../../../src/process/host-runner.ts';
import type { ProcessRunner } from '../../../src/process/runner.ts';
import { functionAgent } from '../engine.ts';

/** One call of the tool: numbered from 1 on. */
export interface Call {
  readonly args: readonly string[];
  readonly stdin: string;
  readonly env: Readonly<Record<string, string>>;
  /** As others see it in /proc. */
  readonly commandLine: string;
}

export interface Behaviour {
  readonly stdout?: string | Buffer;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Shell commands before the end, after all was printed. */
  readonly after?: string;
}

const SCRIPT = `#!/bin/sh
cd "$(dirname "$0")" || exit 99
number=1
while ! mkdir "call-$number" 2>/dev/null; do number=$((number + 1)); done
cat "/proc/$$/cmdline" >"call-$number/cmdline"
for word in "$@"; do printf '%s\\0' "$word"; done >"call-$number/args"
env -0 >"call-$number/env"
if [ -p /dev/stdin ]; then head -n 1 >"call-$number/stdin"; else cat >"call-$number/stdin"; fi
plan="plan-$number"
[ -d "$plan" ] || plan=plan-last
[ -f "$plan/stderr" ] && cat "$plan/stderr" >&2
[ -f "$plan/stdout" ] && cat "$plan/stdout"
touch "call-$number/printed"
[ -f "$plan/after" ] && . "./$plan/after"
exit "$(cat "$plan/code")"
`;

export class FakeTool implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'signalbox-tool-'));
  readonly program = join(this.directory, 'tool');
  readonly runner: ProcessRunner;
  url: string | null = null;

  constructor() {
    writeFileSync(this.program, SCRIPT);
    chmodSync(this.program, 0o755);
    this.runner = createProcessRunner({ log: pino({ level: 'silent' }), pollMs: 50 });
  }

  /** Plans the calls of the tool, one behaviour for each; the last one also applies to all later calls. */
  plan(...behaviours: readonly Behaviour[]): void {
    for (const [index, { stdout, stderr, exitCode = 0, after }] of behaviours.entries()) {
      const names = [`plan-${index + 1}`, ...(index === behaviours.length - 1 ? ['plan-last'] : [])];
      for (const name of names) {
        const plan = join(this.directory, name);
        mkdirSync(plan, { recursive: true });
        writeFileSync(join(plan, 'code'), String(exitCode));
        if (stdout !== undefined) writeFileSync(join(plan, 'stdout'), stdout);
        if (stderr !== undefined) writeFileSync(join(plan, 'stderr'), stderr);
        if (after !== undefined) writeFileSync(join(plan, 'after'), after);
      }
    }
  }

  call(number: number): Call {
    const file = (name: string): string => readFileSync(join(this.directory, `call-${number}`, name), 'utf8');
    const variables = file('env').split('\0').filter(Boolean);
    return {
      args: file('args').split('\0').slice(0, -1),
      stdin: promptIn(file('stdin')),
      env: Object.fromEntries(
        variables.map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
      ),
      commandLine: file('cmdline'),
    };
  }

  hasPrinted(number: number): boolean {
    return existsSync(join(this.directory, `call-${number}`, 'printed'));
  }

  get calls(): number {
    let number = 0;
    while (existsSync(join(this.directory, `call-${number + 1}`))) number++;
    return number;
  }

  /** An agent that runs this program with the driver `name`. */
  agent(
    name: string,
    settings: Partial<DeclaredSettings> = {},
    definition: Partial<AgentDefinition> = {},
  ): AgentDefinition {
    const own: DriverConfigs = { [name]: { program: this.program } };
    if (!declaredDriverNames({}).includes(name)) throw new Error(`there is no driver ${name}`);
    return this.#agentOf({ ...own }, name, settings, definition);
  }

  /** An agent with drivers from a configuration. */
  agentWith(
    drivers: DriverConfigs,
    name: string,
    definition: Partial<AgentDefinition> = {},
  ): AgentDefinition {
    return this.#agentOf(drivers, name, {}, definition);
  }

  #agentOf(
    drivers: DriverConfigs,
    name: string,
    settings: Partial<DeclaredSettings>,
    definition: Partial<AgentDefinition>,
  ): AgentDefinition {
    const program = declaredProgram({
      spec: resolveDriver(drivers, name),
      args: [],
      options: {},
      env: { PATH: process.env.PATH ?? '' },
      maxOutputBytes: 10_000_000,
      output: 'stdout',
      resume: true,
      url: () => this.url,
      installation: `fake-${this.directory.slice(-6)}`,
      ...settings,
    });
    const options = {
      runner: this.runner,
      url: () => this.url,
      installation: `fake-${this.directory.slice(-6)}`,
    };
    const driver = new ProgramDriver(options, program);
    return functionAgent('worker', () => undefined, {
      driver,
      killGraceMs: 500,
      lingerMs: 2_000,
      ...definition,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.runner.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The text of the first message, for a tool that is spoken to. */
function promptIn(stdin: string): string {
  return stdin.startsWith('{"type":"user"') ? JSON.parse(stdin).message.content[0].text : stdin;
}

export function recorded(tool: string, file: string): Buffer {
  return readFileSync(new URL(`../../fixtures/drivers/${tool}/${file}`, import.meta.url));
}
