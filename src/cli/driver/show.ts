import { stringify } from 'yaml';
import type { Terminal } from '../terminal.ts';
import { driverNamed, driversOf } from './drivers.ts';
import type { DriverOptions } from './index.ts';

export async function showDriver(terminal: Terminal, name: string, options: DriverOptions): Promise<void> {
  const { name: _name, ...spec } = driverNamed(await driversOf(options), name);
  if (options.json) terminal.print(JSON.stringify({ name, ...spec }, null, 2));
  else terminal.print(stringify({ drivers: { [name]: spec } }, { lineWidth: 110 }).trimEnd());
}
