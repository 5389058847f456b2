/** The drivers that the command line knows: from the configuration, and those that come along. */
import { loadConfig } from '../../config/load-config.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import {
  type DriverConfigs,
  declaredDriverNames,
  resolveDriver,
} from '../../drivers/declared/resolve-driver.ts';
import type { DriverSpec } from '../../drivers/declared/spec.ts';
import { CODE_DRIVER_NAMES } from '../../drivers/index.ts';
import type { DriverOptions } from './index.ts';

export async function driversOf({ config: file }: DriverOptions): Promise<DriverConfigs> {
  return (await loadConfig({ file, cwd: process.cwd(), env: process.env })).config.drivers;
}

/** @throws SignalboxError `not_found`, `config_invalid` */
export function driverNamed(drivers: DriverConfigs, name: string): DriverSpec {
  const names = declaredDriverNames(drivers);
  if (names.includes(name)) return resolveDriver(drivers, name);
  throw new SignalboxError(
    'not_found',
    CODE_DRIVER_NAMES.includes(name)
      ? `driver ${name} is built in: it has no data to show and no program to replace for a test`
      : `there is no driver ${name}; there are ${names.join(', ')}`,
  );
}
