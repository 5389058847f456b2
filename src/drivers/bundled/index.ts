/** The bundled drivers: one file of data each. */
import type { DriverConfig } from '../declared/spec.ts';
import { acpDrivers } from './acp.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { gemini } from './gemini.ts';
import { openclaw } from './openclaw.ts';
import { opencode } from './opencode.ts';

export const BUNDLED_DRIVERS = {
  openclaw,
  claude,
  codex,
  gemini,
  opencode,
  ...acpDrivers,
} as const satisfies Record<string, DriverConfig>;

export const BUNDLED_DRIVER_NAMES = Object.keys(BUNDLED_DRIVERS);
