/** What a program finds beside its arguments: variables, and how to start the MCP server of Signalbox. */
import { type ArgumentValues, fillValues } from './arguments.ts';
import { mcpCommand } from './own-command.ts';
import type { DriverSpec } from './spec.ts';

/** The variables that the driver sets. */
export function variablesOf({ env, unset_env }: DriverSpec, values: ArgumentValues): Record<string, string> {
  return without(unset_env, fillValues(env, values));
}

/**
 * How the MCP server of Signalbox is started, in JSON, for configurations in JSON and TOML. Null while agents cannot reach
 * Signalbox.
 */
export function mcpValues(url: string | null): ArgumentValues {
  if (url === null) return { mcp_config: null, mcp_program: null, mcp_args: null, mcp_command: null };
  const [command, ...args] = mcpCommand();
  return {
    mcp_config: JSON.stringify({ mcpServers: { signalbox: { command, args } } }),
    mcp_program: JSON.stringify(command),
    mcp_args: JSON.stringify(args),
    mcp_command: JSON.stringify([command, ...args]),
  };
}

/** Whether the driver tells its program how to start that server. */
export function namesMcpServer({ args, env }: DriverSpec): boolean {
  return JSON.stringify([args, env]).includes('{mcp_');
}

/** The variables but for these. */
export function without(
  names: readonly string[],
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
}
