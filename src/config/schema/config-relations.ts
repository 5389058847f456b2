/** Checks that span parts of a configuration: drivers and their bases, reviewers, options, the NATS server. */
import type { z } from 'zod';
import { isReviewMode, REVIEW_MODES } from '../../contracts/config-values.ts';
import { messageOf } from '../../contracts/errors.ts';
import { minimumStorageBytes, minimumStorageText } from '../../contracts/messages/storage.ts';
import { resolveDriver } from '../../drivers/declared/resolve-driver.ts';
import type { DriverConfig } from '../../drivers/declared/spec.ts';
import { CODE_DRIVER_NAMES } from '../../drivers/index.ts';
import type { AgentConfig } from './agent-config.ts';

interface TaskFor {
  readonly task: { readonly agent?: string | undefined };
}

interface Related {
  readonly nats: {
    readonly url?: string | undefined;
    readonly context?: string | undefined;
    readonly credentials?: string | undefined;
    readonly ca_file?: string | undefined;
    readonly max_file_bytes?: number | undefined;
  };
  readonly drivers: Readonly<Record<string, DriverConfig>>;
  readonly agents: Readonly<Record<string, AgentConfig>>;
  readonly budgets: Readonly<Record<string, { readonly agent?: string | undefined }>>;
  readonly schedules: Readonly<Record<string, TaskFor>>;
  readonly templates: Readonly<Record<string, TaskFor>>;
  readonly defaults: { readonly review: string };
}

/** Adds an issue for each part of a configuration that does not fit another one. */
export function checkRelations(config: Related, context: z.core.$RefinementCtx): void {
  const add = (path: string[], message: string): void => {
    context.addIssue({ code: 'custom', path, message });
  };
  checkServer(config, add);
  checkStorage(config, add);
  for (const name of Object.keys(config.drivers)) checkDriver(config, name, add);
  for (const [id, agent] of Object.entries(config.agents)) checkAgent(config, id, agent, add);
  for (const [id, { agent }] of Object.entries(config.budgets)) {
    if (agent !== undefined && !Object.hasOwn(config.agents, agent))
      add(['budgets', id, 'agent'], unknownAgent(config));
  }
  for (const section of ['schedules', 'templates'] as const) {
    for (const [id, { task }] of Object.entries(config[section])) {
      if (task.agent === undefined || Object.hasOwn(config.agents, task.agent)) continue;
      add([section, id, 'task', 'agent'], unknownAgent(config));
    }
  }
  if (!isReviewer(config, config.defaults.review)) {
    add(['defaults', 'review'], unknownReviewer(config, config.defaults.review));
  }
}

function unknownAgent({ agents }: Related): string {
  return `no agent has this id: there are ${Object.keys(agents).join(', ') || 'none'}`;
}

type Add = (path: string[], message: string) => void;

/** A context contains all of it: the address of the server and the credentials. */
function checkServer({ nats }: Related, add: Add): void {
  if (nats.context === undefined) return;
  for (const key of ['url', 'credentials', 'ca_file'] as const) {
    if (nats[key] !== undefined) add(['nats', key], 'nats.context sets this too: keep one of them');
  }
}

/** Only Signalbox's own server has this limit. */
function checkStorage({ nats, agents }: Related, add: Add): void {
  if (nats.max_file_bytes === undefined || nats.url !== undefined || nats.context !== undefined) return;
  const remote = Object.values(agents).filter(({ driver }) => driver === 'remote').length;
  if (nats.max_file_bytes >= minimumStorageBytes(remote)) return;
  add(['nats', 'max_file_bytes'], `is too small: expected at least ${minimumStorageText(remote)}`);
}

function checkDriver(config: Related, name: string, add: Add): void {
  if (CODE_DRIVER_NAMES.includes(name)) {
    add(['drivers', name], 'this driver is built in and cannot be overridden: choose another name');
    return;
  }
  try {
    resolveDriver(config.drivers, name);
  } catch (error) {
    add(['drivers', name], messageOf(error).replace(/^drivers\.[^:]*: /, ''));
  }
}

function checkAgent(config: Related, id: string, agent: AgentConfig, add: Add): void {
  const { review, answered_by: answerer } = agent;
  if (answerer === id)
    add(['agents', id, 'answered_by'], 'an agent does not answer its own questions: name another one');
  else if (answerer !== undefined && !Object.hasOwn(config.agents, answerer)) {
    const known = Object.keys(config.agents).join(', ');
    add(['agents', id, 'answered_by'], `no agent has the id ${JSON.stringify(answerer)}: there are ${known}`);
  }
  if (review === id) add(['agents', id, 'review'], 'an agent does not review its own work: name another one');
  else if (review !== undefined && !isReviewer(config, review)) {
    add(['agents', id, 'review'], unknownReviewer(config, review));
  }
  if ('workspace' in agent && agent.workspace !== undefined && agent.cwd !== undefined) {
    const message = 'the agent has a workspace, which is where it works: remove cwd, or the workspace';
    add(['agents', id, 'cwd'], message);
  }
  if (agent.driver !== 'declared') return;
  const known = optionsOf(config, agent.uses);
  for (const option of Object.keys(agent.options)) {
    if (known === null || known.includes(option)) continue;
    const there = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
    add(['agents', id, 'options', option], `driver ${agent.uses} has no such option; ${there}`);
  }
}

/** Null for a driver that is invalid itself, which is reported already. */
function optionsOf({ drivers }: Related, name: string): readonly string[] | null {
  try {
    return Object.keys(resolveDriver(drivers, name).options);
  } catch {
    return null;
  }
}

function isReviewer({ agents }: Related, review: string): boolean {
  return isReviewMode(review) || Object.hasOwn(agents, review);
}

function unknownReviewer({ agents }: Related, review: string): string {
  const known = [...REVIEW_MODES, ...Object.keys(agents)].join(', ');
  return `${JSON.stringify(review)} is not an agent of this configuration; expected one of ${known}`;
}
