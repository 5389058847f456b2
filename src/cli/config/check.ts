import { loadConfig } from '../../config/load-config.ts';
import { configJsonSchema } from '../../config/parse-config.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import type { CheckOptions } from './config.ts';

export function printSchema(terminal: Terminal): void {
  terminal.print(JSON.stringify(configJsonSchema(), null, 2));
}

export async function check(
  terminal: Terminal,
  file: string | undefined,
  { json }: CheckOptions,
): Promise<void> {
  try {
    const { config, source } = await loadConfig({ file, cwd: process.cwd(), env: process.env });
    const agents = Object.keys(config.agents);
    if (json) terminal.print(JSON.stringify({ valid: true, file: source, agents, issues: [] }, null, 2));
    else terminal.print(`${source ?? 'no file, so the defaults: this'} is valid, with ${agentsText(agents)}`);
  } catch (error) {
    if (!json || !(error instanceof SignalboxError) || error.code !== 'config_invalid') throw error;
    const { issues } = error.details;
    terminal.print(JSON.stringify({ valid: false, file: file ?? null, agents: [], issues }, null, 2));
    terminal.exitCode = exitCodeOf(error.code);
  }
}

function agentsText(agents: readonly string[]): string {
  if (agents.length === 0) return 'no agents';
  return `${agents.length} ${agents.length === 1 ? 'agent' : 'agents'}: ${agents.join(', ')}`;
}
