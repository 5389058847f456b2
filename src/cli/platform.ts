/** Operating systems on which agents can be supervised. */
import { SignalboxError } from '../contracts/errors.ts';

/** Supervision needs process groups, signals and start times of processes. */
export const SUPPORTED_PLATFORMS: readonly string[] = ['linux', 'darwin'];

/** @throws SignalboxError `config_invalid` on Windows and other systems that are not supported */
export function assertSupportedPlatform(platform: string = process.platform): void {
  if (SUPPORTED_PLATFORMS.includes(platform)) return;
  const name = platform === 'win32' ? 'Windows' : platform;
  const way = platform === 'win32' ? ', for example in the Windows Subsystem for Linux (WSL 2)' : '';
  throw new SignalboxError(
    'config_invalid',
    `Signalbox cannot supervise agents on ${name}: run it on Linux or macOS${way}. The task commands work here with --url`,
  );
}
