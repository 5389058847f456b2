/** An engine with one agent that runs inside a test Gateway, and what tests do with its runs. */

import type { CreateTask } from '../../../src/contracts/api/requests.ts';
import { GatewayDriver, type GatewaySettings } from '../../../src/drivers/gateway/gateway-driver.ts';
import type { AgentDefinition } from '../../../src/engine/supervisor/agent-roster.ts';
import { type EngineSettings, functionAgent, startEngine, type TestEngine } from '../../support/engine.ts';
import type { TestRun } from '../../support/gateway/gateway-runs.ts';
import type { GatewayServer } from '../../support/gateway/gateway-server.ts';
import type { MemoryLog } from '../../support/memory-journal.ts';
import { until } from '../../support/until.ts';

export const TEXT = 'all is well';

export function agentOf(
  gateway: GatewayServer,
  settings: Partial<GatewaySettings> = {},
  definition: Partial<AgentDefinition> = {},
): AgentDefinition {
  const driver = new GatewayDriver({
    url: gateway.url,
    token: gateway.token,
    mode: 'subagent',
    agent_id: 'main',
    session: 'resume',
    installation: 'test',
    unknownMs: 50,
    ...settings,
  });
  return functionAgent('worker', () => undefined, { driver, killGraceMs: 300, ...definition });
}

export async function given(
  gateway: GatewayServer,
  agent: AgentDefinition = agentOf(gateway),
  task: Partial<CreateTask> = {},
  engine: Partial<EngineSettings> = {},
  log?: MemoryLog,
): Promise<TestEngine> {
  const test = await startEngine({ agents: [agent], ...engine }, log);
  await test.create({ id: 't', agent: 'worker', ...task });
  return test;
}

export async function begun(gateway: GatewayServer, count = 1): Promise<TestRun> {
  await until(() => gateway.runs.begun.length >= count, `run ${count} begins`);
  const run = gateway.runs.begun[count - 1];
  if (!run) throw new Error('no run');
  return run;
}

export const finish = (gateway: GatewayServer, run: TestRun, text = TEXT): void =>
  gateway.runs.finish(run, { status: 'ok', text, stopReason: 'stop' });

export const attemptsOf = ({ app }: TestEngine) => app.state.projections.attempts.byTask.get('demo/t') ?? [];
export const settled = ({ state, openAttempt }: { state: string; openAttempt: number | null }): boolean =>
  ['done', 'failed'].includes(state) && openAttempt === null;
