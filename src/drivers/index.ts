/** The drivers in code: the only list of them. Configuration, agents and `signalbox driver ls` derive from it. */
import { SignalboxError } from '../contracts/errors.ts';
import { acpDriver } from './acp.ts';
import { commandDriver } from './command.ts';
import { createDeclaredDriver } from './declared/declared-program.ts';
import type { ConfiguredAgent, DriverServices } from './definition.ts';
import type { Driver } from './driver.ts';
import { DryRunDriver, dryRunDriver } from './dry-run.ts';
import { functionDriver } from './function.ts';
import { gatewayDriver } from './gateway/gateway-driver.ts';
import { remoteDriver } from './remote.ts';

export const CODE_DRIVERS = [
  commandDriver,
  acpDriver,
  gatewayDriver,
  dryRunDriver,
  remoteDriver,
  functionDriver,
] as const;

/** Names that no driver of the configuration can have. */
export const CODE_DRIVER_NAMES: readonly string[] = CODE_DRIVERS.map(({ name }) => name);

/** The driver of an agent of the configuration. @throws SignalboxError `config_invalid` */
export function createDriver(agent: ConfiguredAgent, services: DriverServices): Driver {
  if (agent.dry_run) return new DryRunDriver(services.now);
  const declared = createDeclaredDriver(agent, services);
  if (declared) return declared;
  for (const { createFor } of CODE_DRIVERS) {
    const driver = createFor(agent, services);
    if (driver) return driver;
  }
  throw new SignalboxError('internal', `agent ${agent.id}: there is no driver ${agent.driver}`);
}
