/** The drivers that come along, as data: one file each. */
import type { DriverConfig } from '../spec/driver-spec.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { gemini } from './gemini.ts';
import { openclaw } from './openclaw.ts';
import { opencode } from './opencode.ts';

export const READY_DRIVERS = { openclaw, claude, codex, gemini, opencode } as const satisfies Record<
  string,
  DriverConfig
>;

export const READY_DRIVER_NAMES = Object.keys(READY_DRIVERS);

/** Names that are not data: no driver of the configuration can have them. */
export const BUILT_IN_DRIVERS = ['command', 'openclaw-gateway', 'dry_run', 'function', 'remote'] as const;
