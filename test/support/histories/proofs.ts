/**
 * A scenario for audits: a log that is signed by one key after the other, through a crash and a lost key, and from which
 * content is erased. The keys are always the same, and so is what they sign.
 */
import { redactContent } from '../../../src/app/tasks/redact.ts';
import type { Redact } from '../../../src/contracts/api/requests.ts';
import { Checkpointer } from '../../../src/features/audit/checkpointer.ts';
import type { SigningKeys } from '../../../src/features/audit/key-file.ts';
import { readPrivateKey, type SigningKey } from '../../../src/features/audit/keys.ts';
import { silentLogger } from '../engine.ts';
import { agent } from '../simulation/agent.ts';
import { script, scripts } from '../simulation/script.ts';
import { Simulation } from '../simulation/simulation.ts';

const PROJECT = 'demo';

/** PKCS #8 of an Ed25519 key, up to the 32 bytes of the key itself (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key that everybody knows, for logs of which nothing depends. */
function knownKey(number: number): SigningKey {
  const der = Buffer.concat([PKCS8_PREFIX, Buffer.alloc(32, number)]);
  return readPrivateKey(
    `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`,
  );
}

/** Known keys in memory, one after the other: no time of the simulation passes while a disk is waited for. */
class KnownKeys implements SigningKeys {
  readonly path = '/nowhere/signing-key.pem';
  #number: number;

  constructor(number: number) {
    this.#number = number;
  }

  async load(): Promise<SigningKey> {
    return knownKey(this.#number);
  }

  async prepareNext(): Promise<SigningKey> {
    return knownKey(this.#number + 1);
  }

  async adoptNext(): Promise<void> {
    this.#number++;
  }

  async unfinished(): Promise<null> {
    return null;
  }

  async noteCheckpoint(): Promise<void> {}
}

async function sign(simulation: Simulation, keys: SigningKeys): Promise<Checkpointer> {
  const checkpointer = await Checkpointer.open({
    keys,
    logger: silentLogger,
    everyEvents: 12,
    everyMs: 20_000,
  });
  await simulation.answer(checkpointer.start(simulation.app));
  return checkpointer;
}

type Part = Omit<Redact, 'by' | 'reason'>;

/** Files are erased on a real disk: only until the redaction is stored does the simulation's time pass. */
export async function redact(simulation: Simulation, task: string, part: Part): Promise<void> {
  const stored = (): number => simulation.typesOf(task).filter((type) => type === 'task.redacted').length;
  const before = stored();
  const request = { ...part, reason: 'it names a person' };
  const done = redactContent(simulation.app, { project: PROJECT, task }, request, 'user:ann');
  await simulation.until(() => stored() > before);
  await done;
}

/** Checkpoints by number, by time and at a stop; keys that are rotated and lost; every kind of content erased. */
export async function proofs(): Promise<Simulation> {
  const speaks = script({
    runsMs: 2_000,
    words: [
      { atMs: 100, say: 'working' },
      { atMs: 200, say: 'comment' },
      { atMs: 300, say: 'output' },
    ],
  });
  const simulation = await Simulation.begin({
    agents: [agent('scribe', speaks), agent('clumsy', scripts.fails())],
  });
  const keys = new KnownKeys(1);
  const first = await sign(simulation, keys);
  await simulation.create({
    id: 'secret',
    agent: 'scribe',
    description: 'tell nobody',
    params: { password: 'hunter2' },
    labels: { team: 'post' },
  });
  await simulation.untilState('secret', 'done');
  await simulation.create({ id: 'mishap', agent: 'clumsy', max_attempts: 1 });
  await simulation.untilState('mishap', 'failed');
  await redact(simulation, 'secret', { description: true });
  await redact(simulation, 'secret', { output: 1 });
  await redact(simulation, 'mishap', { attempt: 1 });
  await simulation.answer(first.rotate('user:ann'));
  await simulation.advance(30_000);
  simulation.crash();
  await simulation.restart();
  const second = await sign(simulation, keys);
  await redact(simulation, 'secret', { comment: 1 });
  const progress = simulation.eventsOf('secret').find(({ event }) => event.type === 'task.progress_reported');
  await redact(simulation, 'secret', { event: progress?.sequence ?? 0 });
  await simulation.answer(second.stop());
  simulation.crash();
  await simulation.restart();
  const third = await sign(simulation, new KnownKeys(7));
  await simulation.answer(third.stop());
  return simulation;
}
