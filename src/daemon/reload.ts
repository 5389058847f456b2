/** What a new configuration changes in a running Signalbox: agents, but for remote ones, and templates; everything else needs a restart. */
import { isDeepStrictEqual } from 'node:util';
import type { SignalboxConfig } from '../config/schema/config.ts';

type Agents = SignalboxConfig['agents'];

export interface Reload {
  /** The configuration that is in force afterwards. */
  readonly config: SignalboxConfig;
  /** What has changed, as in `agent coder: concurrency 1 → 2`. */
  readonly changes: readonly string[];
  /** What is different in the file, and does not apply. */
  readonly ignored: readonly string[];
}

/** @param isRunning whether an agent has open attempts */
export function planReload(
  before: SignalboxConfig,
  after: SignalboxConfig,
  isRunning: (agent: string) => boolean,
): Reload {
  const changes: string[] = [];
  const ignored: string[] = [];
  const agents: Agents = {};
  for (const id of new Set([...Object.keys(before.agents), ...Object.keys(after.agents)])) {
    const old = before.agents[id];
    const wanted = after.agents[id];
    const hasQueue = old?.driver === 'remote' || wanted?.driver === 'remote';
    if (isDeepStrictEqual(old, wanted)) {
      if (old) agents[id] = old;
    } else if (hasQueue) {
      if (old) agents[id] = old;
      ignored.push(`agent ${id}: a change of a remote agent needs a restart`);
    } else if (wanted === undefined && old && isRunning(id)) {
      agents[id] = old;
      ignored.push(
        `agent ${id} has open attempts and stays: pause it, and reload again when they have ended`,
      );
    } else if (wanted === undefined) {
      changes.push(`agent ${id} removed`);
    } else {
      agents[id] = wanted;
      changes.push(old === undefined ? `agent ${id} added` : `agent ${id}: ${differences(old, wanted)}`);
    }
  }
  const { templates } = after;
  if (!isDeepStrictEqual(before.templates, templates)) changes.push('templates changed');
  const ignoredElsewhere = otherChanges(before, after);
  return { config: { ...before, agents, templates }, changes, ignored: [...ignored, ...ignoredElsewhere] };
}

function otherChanges(before: SignalboxConfig, after: SignalboxConfig): string[] {
  const names = new Set<keyof SignalboxConfig>();
  for (const config of [before, after]) {
    for (const name of Object.keys(config)) if (isSection(name, config)) names.add(name);
  }
  names.delete('agents');
  names.delete('templates');
  return [...names]
    .filter((name) => !isDeepStrictEqual(before[name], after[name]))
    .map((name) => `${name}: a change needs a restart`);
}

function isSection(name: string, config: SignalboxConfig): name is keyof SignalboxConfig & string {
  return Object.hasOwn(config, name);
}

/** The values may be secrets, as in `env`: only those that cannot be are named. */
function differences(old: object, wanted: object): string {
  const before: Readonly<Record<string, unknown>> = { ...old };
  const after: Readonly<Record<string, unknown>> = { ...wanted };
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !isDeepStrictEqual(before[name], after[name]))
    .map((name) => {
      const [from, to] = [before[name], after[name]];
      return typeof from === 'number' && typeof to === 'number'
        ? `${name} ${from} → ${to}`
        : `${name} changed`;
    })
    .join(', ');
}
