import { fileURLToPath } from 'node:url';
import type { AttemptDirectory } from '../files/attempt-directory.ts';
import { MARKER_VARIABLE, markersFor } from '../markers.ts';
import type { SpawnSpec } from '../runner.ts';

/** A launcher on its way or at work. */
export interface Launched {
  /** Resolves when the launcher has ended or could not be started. Pending for ever if a SIGKILL took its last word. */
  readonly ended: Promise<void>;
  isOver(): boolean;
  /** Stops listening to it, and lets this process end while it runs on. */
  release(): void;
}

export interface LaunchRequest {
  readonly spec: SpawnSpec;
  /** Absolute path of the program. */
  readonly program: string;
  readonly directory: AttemptDirectory;
}

export const SHELL = '/bin/sh';

const LAUNCHER = fileURLToPath(new URL('./launcher.sh', import.meta.url));
const NO_INPUT = '/dev/null';
/** Variables that a shell adds to its environment. */
const ADDED_BY_SHELL = ['PWD', 'OLDPWD', 'SHLVL', '_'];

/** Arguments of {@link SHELL}. `number` is what the launcher reports its end by, if anyone listens. */
export function launcherArguments({ spec, program, directory }: LaunchRequest, number: number): string[] {
  const surplus = ADDED_BY_SHELL.filter((name) => !(name in spec.env)).join(' ');
  const [, ...rest] = spec.command;
  return [LAUNCHER, directory.path, spec.stdin ?? NO_INPUT, surplus, String(number), program, ...rest];
}

export function launcherEnvironment({ spec }: LaunchRequest): Readonly<Record<string, string>> {
  return { ...spec.env, [MARKER_VARIABLE]: markersFor(spec.marker) };
}
