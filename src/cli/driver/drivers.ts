/** The drivers that the command line knows: from the configuration, and those that come along. */
import { loadConfig } from '../../config/load-config.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { BUILT_IN_DRIVERS } from '../../drivers/ready/index.ts';
import type { DriverSpec } from '../../drivers/spec/driver-spec.ts';
import { type DriverConfigs, declaredDriverNames, resolveDriver } from '../../drivers/spec/resolve-driver.ts';
import type { DriverOptions } from './index.ts';

export async function driversOf({ config: file }: DriverOptions): Promise<DriverConfigs> {
  return (await loadConfig({ file, cwd: process.cwd(), env: process.env })).config.drivers;
}

/** @throws SignalboxError `not_found`, `config_invalid` */
export function driverNamed(drivers: DriverConfigs, name: string): DriverSpec {
  const names = declaredDriverNames(drivers);
  if (names.includes(name)) return resolveDriver(drivers, name);
  const isBuiltIn = (BUILT_IN_DRIVERS as readonly string[]).includes(name);
  throw new SignalboxError(
    'not_found',
    isBuiltIn
      ? `driver ${name} is no data: there is no program that could be shown or stand in for it`
      : `there is no driver ${name}; there are ${names.join(', ')}`,
  );
}
