/** Finds and starts the Chromium of this machine, for benchmarks and tests. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Disables all requests other than those of the page under test. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The program named by `SIGNALBOX_TEST_CHROMIUM`, or the first Chromium on the PATH; null if there is none. */
export function findChromium(): string | null {
  const { SIGNALBOX_TEST_CHROMIUM: named, PATH = '' } = process.env;
  const candidates = named
    ? [named]
    : PATH.split(delimiter).flatMap((folder) => PROGRAMS.map((name) => join(folder, name)));
  return candidates.find(isExecutable) ?? null;
}

export function launchChromium(program: string): Promise<Browser> {
  return chromium.launch({ executablePath: program, args: ARGUMENTS, headless: true });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
