/** The command that runs Signalbox itself, for agents that start its MCP server. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

/** This installation, whatever is on the PATH of the agent; `signalbox` on its PATH if this is not compiled. */
export function ownCommand(): readonly string[] {
  return existsSync(MAIN) ? [process.execPath, MAIN] : ['signalbox'];
}
