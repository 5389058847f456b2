/** The callers of Signalbox: agents with their tokens, and users. A command that was answered must be in the log. */
import type { AppContext } from '../../../src/app/context.ts';
import { type ErrorCode, SignalboxError } from '../../../src/contracts/errors.ts';
import type { RunRequest } from '../../../src/drivers/driver.ts';
import type { SimulatedClock } from './clock.ts';
import { markOf, type SimulatedLog } from './log.ts';
import { expect } from './log-entities.ts';
import type { SimulatedNode } from './node.ts';
import type { Random } from './random.ts';
import type { Word } from './script.ts';
import { speak } from './use-cases.ts';
import type { Witness } from './witness.ts';

export interface Network {
  /** Longest time that an agent's word takes, in milliseconds. */
  readonly delayMs: number;
  /** How likely it comes twice. */
  readonly duplicates: number;
}

export interface CallersOptions {
  readonly clock: SimulatedClock;
  readonly log: SimulatedLog;
  readonly random: Random;
  readonly witness: Witness;
  readonly network: Network;
  /** The Signalbox that they reach; null while none is up. */
  readonly node: () => SimulatedNode | null;
}

/** Errors after which a caller tries again. */
const TRANSIENT: readonly ErrorCode[] = ['overloaded', 'log_unavailable', 'log_fenced', 'shutting_down'];
/** What a caller may be told; every other error is a violation. */
const EXPECTED: ReadonlySet<ErrorCode> = new Set([
  ...TRANSIENT,
  // It had expired by the time it was sent.
  'invalid_request',
  'task_not_found',
  'task_exists',
  'agent_not_found',
  'queue_not_found',
  'schedule_not_found',
  'budget_not_found',
  'schedule_exists',
  'illegal_transition',
  'not_editable',
  'task_archived',
  'output_required',
  'stale_attempt',
  'question_answered',
  'question_not_found',
  'too_many_questions',
]);
const RETRY_MS = 2_000;
const RETRIES = 5;
/** How long a caller waits for an answer before it tries again. */
const PATIENCE_MS = 20_000;

export class Callers {
  readonly #options: CallersOptions;
  #marks = 0;

  constructor(options: CallersOptions) {
    this.#options = options;
  }

  newMark(): string {
    return markOf(++this.#marks);
  }

  /** Sends a message of an agent over the network: later, perhaps twice, and again without an answer. */
  say(order: Pick<RunRequest, 'project' | 'task' | 'token'>, word: Word): void {
    const { clock, random, network } = this.#options;
    const mark = this.newMark();
    const recorded = word.say === 'heartbeat' || word.say === 'poll' ? null : mark;
    const copies = random.chance(network.duplicates) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const send = (): void => this.command(recorded, (app) => speak(app, order, word, mark));
      clock.schedule(random.int(0, network.delayMs), send);
    }
  }

  /**
   * Sends a command, again if it is not taken or answered, and checks the answer when it comes.
   * @param mark what its event carries; null for a command that need not leave one
   */
  command(mark: string | null, send: (app: AppContext) => Promise<unknown>, retries = RETRIES): void {
    const { clock, witness, node: reach } = this.#options;
    let isOver = false;
    const again = (): void => {
      if (isOver) return;
      isOver = true;
      if (retries > 0) clock.schedule(RETRY_MS, () => this.command(mark, send, retries - 1));
    };
    const node = reach();
    if (!node?.isOpen) return again();
    clock.schedule(PATIENCE_MS, again);
    node.clock.schedule(0, () => {
      send(node.engine.app).then(
        () => {
          isOver = true;
          witness.check(() => this.#expectStored(mark));
        },
        (error: unknown) => {
          if (!(error instanceof SignalboxError) || !this.#mayAnswer(node, error.code)) witness.report(error);
          else if (TRANSIENT.includes(error.code)) again();
          else isOver = true;
        },
      );
    });
  }

  #mayAnswer(node: SimulatedNode, code: ErrorCode): boolean {
    if (EXPECTED.has(code)) return true;
    // One that was replaced and does not know it yet may find the workspace gone, which its successor has removed.
    return code === 'internal' && this.#options.node() !== node;
  }

  #expectStored(mark: string | null): void {
    expect(mark === null || this.#options.log.has(mark), `${mark} was answered and is not in the log`);
  }
}
