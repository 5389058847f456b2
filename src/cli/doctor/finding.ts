/** Findings of the checks. */
import type { SignalboxConfig } from '../../config/schema/config.ts';

export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** How to fix it; absent if the status is ok. */
  readonly advice?: string;
}

export interface CheckContext {
  /** The defaults if the configuration is not valid. */
  readonly config: SignalboxConfig;
  readonly env: NodeJS.ProcessEnv;
  /** Address of a running Signalbox. */
  readonly url: string;
  /** Whether to repair findings. */
  readonly repair: boolean;
}

/** Changes nothing unless it repairs on request. */
export type Check = (context: CheckContext) => Promise<readonly Finding[]>;

export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail };
}

export function warn(check: string, detail: string, advice: string): Finding {
  return { check, status: 'warn', detail, advice };
}

export function fail(check: string, detail: string, advice: string): Finding {
  return { check, status: 'fail', detail, advice };
}
