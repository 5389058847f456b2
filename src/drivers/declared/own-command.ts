/** The command that runs Signalbox itself, for agents that start its MCP server. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CODE_ROOT } from '../../version.ts';

/** Not there while the sources run. */
const MAIN = join(CODE_ROOT, 'cli', 'main.js');

/** This installation, whatever is on the PATH of the agent; `signalbox` on its PATH if this is not compiled. */
export function ownCommand(): readonly string[] {
  return existsSync(MAIN) ? [process.execPath, MAIN] : ['signalbox'];
}
