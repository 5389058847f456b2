/** The command that runs Signalbox itself, for agents that start its MCP server. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CODE_ROOT } from '../../version.ts';
import type { McpServer } from '../conversation/protocol.ts';

/** Not there while the sources run. */
const MAIN = join(CODE_ROOT, 'cli', 'main.js');

/** Starts the MCP server of Signalbox, which takes everything else from the environment. */
export function mcpCommand(): readonly [string, ...string[]] {
  const [command = 'signalbox', ...args] = ownCommand();
  return [command, ...args, 'mcp'];
}

/** @param env of the attempt */
export function mcpServerWith(env: McpServer['env']): McpServer {
  const [command, ...args] = mcpCommand();
  return { command, args, env };
}

/** This installation, whatever is on the PATH of the agent; `signalbox` on its PATH if this is not compiled. */
export function ownCommand(): readonly string[] {
  return existsSync(MAIN) ? [process.execPath, MAIN] : ['signalbox'];
}
