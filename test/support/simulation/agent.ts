import type { SimulatedAgent } from './node.ts';
import { type Script, scripts } from './script.ts';
import type { ScriptOf } from './scripted-driver.ts';

/** An agent that runs the same script every time, or one for each attempt; by default it succeeds. */
export function agent(
  id: string,
  run: Script | ScriptOf = scripts.succeeds(),
  settings: Partial<SimulatedAgent> = {},
): SimulatedAgent {
  return { id, scriptOf: typeof run === 'function' ? run : () => run, ...settings };
}

/** The first script for the first attempt of a task, and so on; the last one for all that follow. */
export function inTurn(...list: readonly [Script, ...Script[]]): ScriptOf {
  return ({ attempt }) => list[Math.min(attempt, list.length) - 1] ?? list[0];
}
