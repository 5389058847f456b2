/** The worktrees of a simulated machine: they outlive every Signalbox, and each step of one takes time and may be cut. */
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { type TaskRef, taskKey } from '../../../src/contracts/ids.ts';
import type {
  Diff,
  KeepReason,
  MergeResult,
  PlanRequest,
  WorkspacePlan,
  Workspaces,
  Worktree,
} from '../../../src/workspaces/workspaces.ts';
import type { ProcessClock } from '../simulation/clock.ts';
import type { Random } from '../simulation/random.ts';

interface Tree {
  /** The commit of the newest work; null if nothing was done. */
  work: string | null;
  merged: string | null;
}

/** How many steps of a hundred fail. */
export interface TreeFaults {
  readonly plan: number;
  readonly setUp: number;
  readonly conflict: number;
  readonly merge: number;
}

export const NO_FAULTS: TreeFaults = { plan: 0, setUp: 0, conflict: 0, merge: 0 };

export class TreeWorld {
  readonly trees = new Map<string, Tree>();
  faults: TreeFaults = NO_FAULTS;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The worktrees as one Signalbox handles them. */
  seenBy(clock: ProcessClock): Workspaces {
    return new SimulatedWorkspaces(this, clock, this.#random);
  }
}

class SimulatedWorkspaces implements Workspaces {
  readonly #world: TreeWorld;
  readonly #clock: ProcessClock;
  readonly #random: Random;

  constructor(world: TreeWorld, clock: ProcessClock, random: Random) {
    this.#world = world;
    this.#clock = clock;
    this.#random = random;
  }

  async plan({ project, task, repository, base, branch }: PlanRequest): Promise<WorkspacePlan> {
    await this.#step();
    if (this.#happens('plan')) throw new SignalboxError('spawn_failed', 'the repository is gone');
    const target = branch === null ? null : 'main';
    return { repository, path: `/trees/${taskKey({ project, task })}`, branch, target, base: base ?? 'base' };
  }

  async create(ref: TaskRef): Promise<string> {
    await this.#step();
    // One that is there already is taken as it is: a process that was stopped meanwhile may come late.
    const tree = this.#world.trees.get(taskKey(ref)) ?? { work: null, merged: null };
    this.#world.trees.set(taskKey(ref), tree);
    await this.#step();
    return ref.task;
  }

  async setUp() {
    await this.#step();
    return { steps: [], failure: this.#happens('setUp') ? 'exited with code 1' : null };
  }

  async release(): Promise<void> {}

  async takeDiff(worktree: Worktree, { attempt }: { readonly attempt: number }): Promise<Diff | null> {
    await this.#step();
    const tree = this.#world.trees.get(taskKey(worktree));
    if (!tree) throw new SignalboxError('internal', 'its worktree is gone');
    const commit = `${taskKey(worktree)}/${attempt}`;
    tree.work = commit;
    const facts = { base: 'base', head: commit, files: 1, insertions: 1, deletions: 0, sha256: 'hash' };
    return { ...facts, commit, text: `diff of attempt ${attempt}\n` };
  }

  async merge(worktree: Worktree, { commit }: { readonly commit: string }): Promise<MergeResult> {
    await this.#step();
    const tree = this.#world.trees.get(taskKey(worktree));
    if (!tree) return { kind: 'failed', reason: 'its worktree is gone' };
    if (tree.merged !== commit) {
      if (this.#happens('conflict')) return { kind: 'conflict', reason: 'Merge conflict in a.txt' };
      if (this.#happens('merge')) return { kind: 'failed', reason: 'main is checked out' };
      tree.merged = commit;
    }
    await this.#step();
    return { kind: 'merged', before: 'before', commit: `merge of ${commit}` };
  }

  async reasonToKeep(worktree: Worktree): Promise<KeepReason> {
    await this.#step();
    return this.#reason(worktree);
  }

  async remove(worktree: Worktree, { discard }: { readonly discard: boolean }): Promise<KeepReason> {
    await this.#step();
    const reason = discard ? null : this.#reason(worktree);
    if (reason !== null) return reason;
    this.#world.trees.delete(taskKey(worktree));
    await this.#step();
    return null;
  }

  async list() {
    return [];
  }

  #reason(worktree: Worktree): KeepReason {
    const tree = this.#world.trees.get(taskKey(worktree));
    return tree && tree.work !== tree.merged ? 'it has commits that are not merged' : null;
  }

  #happens(fault: keyof TreeFaults): boolean {
    return this.#random.int(1, 100) <= this.#world.faults[fault];
  }

  /** Does not return if the process ends meanwhile. */
  #step(): Promise<void> {
    return new Promise((resolve) => this.#clock.schedule(this.#random.int(1, 400), resolve));
  }
}
