/** What a check of `doctor` finds. */
import type { SignalboxConfig } from '../../config/schema/config.ts';

export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do; absent where all is well. */
  readonly advice?: string;
}

export interface CheckContext {
  /** The defaults where the configuration is not valid. */
  readonly config: SignalboxConfig;
  readonly env: NodeJS.ProcessEnv;
  /** Where Signalbox is looked for. */
  readonly url: string;
  /** Whether what is found may be repaired. */
  readonly repair: boolean;
}

/** Looks, and changes nothing but what it repairs on request. */
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
