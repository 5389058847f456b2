import type { Adoption, Driver, Run, RunRequest, RunStart } from '../../../src/drivers/driver.ts';
import type { ProcessClock } from './clock.ts';
import type { ProcessWorld } from './process-world.ts';
import type { Script } from './script.ts';

export type ScriptOf = (order: RunRequest) => Script;

/** Runs scripts in a simulated world. One for each process of the supervisor and each agent. */
export class ScriptedDriver implements Driver {
  readonly name: string;
  readonly writesBack = true;
  readonly resumes = true;
  readonly adoptable: boolean;
  readonly takesWorkspace: boolean;
  readonly startsWithClaim?: RunStart;
  readonly #world: ProcessWorld;
  readonly #supervisor: ProcessClock;
  readonly #scriptOf: ScriptOf;

  constructor(
    world: ProcessWorld,
    supervisor: ProcessClock,
    scriptOf: ScriptOf,
    { isAdoptable, takesWorkspace }: { readonly isAdoptable: boolean; readonly takesWorkspace: boolean },
  ) {
    this.#world = world;
    this.#supervisor = supervisor;
    this.#scriptOf = scriptOf;
    this.adoptable = isAdoptable;
    this.takesWorkspace = takesWorkspace;
    if (!isAdoptable && !takesWorkspace) this.startsWithClaim = { host: 'simulated' };
    this.name = isAdoptable ? 'scripted' : 'scripted_inside';
  }

  async start(order: RunRequest): Promise<Run> {
    order.prompt();
    return this.#world.start(order, this.#scriptOf(order), this.#supervisor, this.adoptable);
  }

  adopt(order: RunRequest): Promise<Adoption> {
    return this.#world.adopt(order, this.#supervisor, this.adoptable);
  }
}
