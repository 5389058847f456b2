import { SignalboxError } from '../contracts/errors.ts';

/** Process groups, signals and start times are what supervision rests on. */
export const SUPPORTED_PLATFORMS: readonly string[] = ['linux', 'darwin'];

/** @throws SignalboxError `config_invalid` on Windows and other systems on which agents cannot be supervised */
export function assertSupportedPlatform(platform: string = process.platform): void {
  if (SUPPORTED_PLATFORMS.includes(platform)) return;
  const name = platform === 'win32' ? 'Windows' : platform;
  const way = platform === 'win32' ? ', for example in the Windows Subsystem for Linux (WSL 2)' : '';
  throw new SignalboxError(
    'config_invalid',
    `Signalbox cannot supervise agents on ${name}: run it on Linux or macOS${way}. The task commands work from here with --url`,
  );
}
