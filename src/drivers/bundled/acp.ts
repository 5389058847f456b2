/**
 * Agents that speak the Agent Client Protocol (conversation/acp). They differ only in how they are started: opencode and
 * Gemini CLI speak it themselves, Claude Code and Codex through an adapter.
 */
import type { DriverConfig } from '../declared/spec.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { gemini } from './gemini.ts';
import { opencode } from './opencode.ts';

/** What all of them share, and an agent with `driver: acp`, whose command its configuration names. */
export const acpBase = {
  options: { mode: null, model: null },
  prompt: 'stdin',
  session: 'output',
  conversation: 'acp',
  transcript: 'acp',
  output: { format: 'jsonl' },
} as const satisfies DriverConfig;

export const acpDrivers = {
  'opencode-acp': {
    ...acpBase,
    description: 'OpenCode over ACP (opencode acp), which asks and takes messages',
    version: '1.18.33',
    program: 'opencode',
    args: ['acp', '{args}'],
    pass_env: opencode.pass_env,
  },
  'gemini-acp': {
    ...acpBase,
    description: 'Gemini CLI over ACP (gemini --acp), which asks and takes messages',
    version: '0.61.0',
    program: 'gemini',
    args: ['--acp', '--skip-trust', '{args}'],
    pass_env: gemini.pass_env,
  },
  'claude-acp': {
    ...acpBase,
    description: 'Claude Code over ACP (claude-agent-acp), which asks and takes messages',
    version: '0.101.0',
    program: 'claude-agent-acp',
    args: ['{args}'],
    pass_env: claude.pass_env,
  },
  'codex-acp': {
    ...acpBase,
    description: 'Codex over ACP (codex-acp), which asks and takes messages',
    version: '2.6.0',
    program: 'codex-acp',
    args: ['{args}'],
    pass_env: codex.pass_env,
  },
} as const satisfies Record<string, DriverConfig>;
