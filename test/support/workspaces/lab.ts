/** An engine whose agents are shell scripts that work in worktrees of a real repository. */
import { join } from 'node:path';
import { pino } from 'pino';
import type { WorkspaceView } from '../../../projections/index.ts';
import type { DomainEvent, EventOf, EventType } from '../../../src/contracts/events/events.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import { commandProgram } from '../../../src/drivers/command.ts';
import { ProgramDriver } from '../../../src/drivers/program-driver.ts';
import type { AgentDefinition } from '../../../src/engine/supervisor/agent-roster.ts';
import type { WorkspaceSettings } from '../../../src/engine/supervisor/workspaces/workspace-settings.ts';
import { createProcessRunner } from '../../../src/process/host-runner.ts';
import { GitWorkspaces } from '../../../src/workspaces/git-workspaces.ts';
import { type EngineSettings, functionAgent, PROJECT, startEngine, type TestEngine } from '../engine.ts';
import { MemoryLog } from '../memory-journal.ts';
import { TestRepository } from './repository.ts';

export class WorkspaceLab implements AsyncDisposable {
  readonly repository: TestRepository;
  readonly log = new MemoryLog();
  readonly runner = createProcessRunner({ log: pino({ level: 'silent' }), pollMs: 20 });
  /** Of the engine that was started last. */
  engine: TestEngine | null = null;
  #ids = 0;

  private constructor(repository: TestRepository) {
    this.repository = repository;
  }

  static async create(files?: Readonly<Record<string, string>>): Promise<WorkspaceLab> {
    return new WorkspaceLab(await TestRepository.create(files));
  }

  get workspaces(): GitWorkspaces {
    return new GitWorkspaces({
      directory: join(this.repository.directory, 'data/workspaces'),
      runner: this.runner,
      installation: `lab-${this.repository.directory.slice(-6)}`,
      env: process.env,
      randomId: () => `run-${process.pid}-${this.#ids++}`,
    });
  }

  /** An agent that runs a shell script; `$SIGNALBOX_TASK_ID` is its task. */
  agent(
    id: string,
    script: string,
    workspace: Partial<WorkspaceSettings> | null = {},
    definition: Partial<AgentDefinition> = {},
  ): AgentDefinition {
    const env = { PATH: process.env.PATH ?? '', HOME: this.repository.directory, ...IDENTITY };
    const program = commandProgram({
      command: ['sh', '-c', script],
      prompt: 'file',
      env,
      output: 'stdout',
      maxOutputBytes: 1_000_000,
    });
    const services = {
      runner: this.runner,
      url: () => null,
      installation: this.repository.directory.slice(-6),
    };
    return {
      ...functionAgent(id, () => ''),
      driver: new ProgramDriver(services, program),
      concurrency: 4,
      ...(workspace !== null && { workspace: { ...this.settings, env, ...workspace } }),
      ...definition,
    };
  }

  get settings(): WorkspaceSettings {
    return {
      repository: this.repository.path,
      base: undefined,
      branch: 'signalbox/{project}/{task}',
      setUp: [],
      setUpTimeoutMs: 20_000,
      env: {},
      onApprove: null,
      keepMs: 3_600_000,
    };
  }

  /** Starts an engine on the log of the one before it. */
  async start(
    agents: readonly AgentDefinition[],
    settings: Partial<EngineSettings> = {},
  ): Promise<TestEngine> {
    this.engine = await startEngine({ agents, workspaces: this.workspaces, ...settings }, this.log);
    return this.engine;
  }

  async stop(): Promise<void> {
    await this.engine?.[Symbol.asyncDispose]();
    this.engine = null;
  }

  workspace(task: string): WorkspaceView | undefined {
    return this.engine?.engine.projections.workspaces.byTask.get(taskKey({ project: PROJECT, task }));
  }

  /** What was recorded of a type of event. */
  async events<Type extends EventType>(type: Type): Promise<EventOf<Type>[]> {
    const found: EventOf<Type>[] = [];
    const isWanted = (event: DomainEvent): event is EventOf<Type> => event.type === type;
    const app = this.engine?.app;
    if (!app) return found;
    for await (const { event } of app.log.read({ from: 1, to: app.log.last.tip.sequence }))
      if (isWanted(event)) found.push(event);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.runner.close();
    await this.repository[Symbol.asyncDispose]();
  }
}

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Agent',
  GIT_AUTHOR_EMAIL: 'agent@example.org',
  GIT_COMMITTER_NAME: 'Agent',
  GIT_COMMITTER_EMAIL: 'agent@example.org',
};
