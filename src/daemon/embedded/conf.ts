import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignalboxError } from '../../contracts/errors.ts';
import type { Credentials } from './credentials.ts';
import type { Layout } from './layout.ts';
import { compareVersions } from './version.ts';

/** How the store is forced to the disk: `1s` every second, `always` before each acknowledgement. */
export type SyncMode = '1s' | 'always';

/** What may differ from one run of the server to the next. */
export type ServerSettings = Readonly<{
  /** -1 lets the server choose. */
  port: number;
  /** Bytes that the store may take. */
  maxFileBytes: number;
  sync: SyncMode;
}>;

/** The path of the `nats.conf` at the top of this package: above `src/` and above `dist/` alike. */
export function shippedConf(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = join(directory, 'nats.conf');
    if (existsSync(file)) return file;
    const parent = dirname(directory);
    if (parent === directory) {
      throw new SignalboxError(
        'nats_unavailable',
        `nats.conf is missing above ${fileURLToPath(import.meta.url)}: install Signalbox again`,
      );
    }
    directory = parent;
  }
}

const VERSION_MARK = /^([ \t]*)#>=(\d+(?:\.\d+){0,2})[ \t]+(.*)$/gm;

/**
 * The text of `conf` for a server of `version`: a line `#>=2.10 name: value` loses its mark when the server is that new,
 * and stays a comment otherwise. Older servers refuse to start on a setting that they do not know.
 */
export function confFor(conf: string, version: string): string {
  return conf.replace(VERSION_MARK, (line, indent: string, since: string, setting: string) =>
    compareVersions(version, since) >= 0 ? `${indent}${setting}` : line,
  );
}

/** The environment that `nats.conf` reads. */
export function confEnvironment(
  layout: Layout,
  credentials: Credentials,
  { port, maxFileBytes, sync }: ServerSettings,
): Readonly<Record<string, string>> {
  return {
    SIGNALBOX_NATS_PORT: String(port),
    SIGNALBOX_NATS_RUN_DIR: quoted(layout.runDir),
    SIGNALBOX_NATS_PID_FILE: quoted(layout.pidFile),
    SIGNALBOX_NATS_LOG_FILE: quoted(layout.logFile),
    SIGNALBOX_NATS_STORE_DIR: quoted(layout.storeDir),
    SIGNALBOX_NATS_MAX_FILE: String(maxFileBytes),
    SIGNALBOX_NATS_SYNC: quoted(sync),
    SIGNALBOX_NATS_PASSWORD: quoted(credentials.password),
  };
}

/**
 * `text` as a string of the configuration language. nats-server parses the value of a variable like any other value:
 * unquoted, `1e5` is a number, `a b` an error and `$HOME` the next variable.
 */
export function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped.
  const escaped = text.replace(/[\\"\u0000-\u001f\u007f]/g, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${escaped}"`;
}
