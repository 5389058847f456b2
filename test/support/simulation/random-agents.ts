/** Random agents and runs: good ones, broken ones, and everything in between. */
import type { RunResult } from '../../../src/drivers/driver.ts';
import type { WorkspaceSettings } from '../../../src/engine/supervisor/workspaces/workspace-settings.ts';
import type { SimulatedAgent } from './node.ts';
import type { Random } from './random.ts';
import { asksAndPolls, type Script, script, type Word } from './script.ts';

export const TYPES = ['alpha', 'beta', 'gamma'] as const;

const MIND = ['good', 'shaky', 'hopeless'] as const;
const GOOD_SHARE: Readonly<Record<(typeof MIND)[number], number>> = { good: 0.9, shaky: 0.55, hopeless: 0.1 };

export function randomAgents(random: Random): SimulatedAgent[] {
  return Array.from({ length: random.int(1, 4) }, (_, index) => {
    const goodShare = GOOD_SHARE[random.pick(MIND)];
    return {
      id: `agent-${index}`,
      scriptOf: () => randomScript(random, goodShare),
      adoptable: random.chance(0.75),
      capabilities: index === 0 ? TYPES : random.some(TYPES, 0.5),
      concurrency: random.int(1, 3),
      timeoutMs: random.int(3, 40) * 1_000,
      killGraceMs: random.int(0, 3) * 500,
      lingerMs: random.int(0, 3) * 700,
      questions: {
        parkAfterMs: random.chance(0.5) ? random.int(0, 5) * 1_000 : undefined,
        keepaliveMs: random.chance(0.7) ? random.int(1, 8) * 1_000 : undefined,
      },
      silenceMs: random.chance(0.4) ? random.int(2, 10) * 1_000 : undefined,
      workspace: random.chance(0.4) ? randomWorkspace(random) : undefined,
      breaker: random.chance(0.5)
        ? { failures: random.int(1, 4), cooldownMs: random.int(1, 20) * 1_000, maxCooldownMs: 60_000 }
        : undefined,
    };
  });
}

function randomWorkspace(random: Random): WorkspaceSettings {
  return {
    repository: '/repository',
    base: undefined,
    branch: 'signalbox/{project}/{task}',
    setUp: random.chance(0.5) ? [['npm', 'ci']] : [],
    setUpTimeoutMs: 60_000,
    env: {},
    onApprove: random.pick(['merge', 'squash', null]),
    keepMs: random.int(0, 3) * 5_000,
  };
}

function randomScript(random: Random, goodShare: number): Script {
  const isGood = random.chance(goodShare);
  const hangs = random.chance(isGood ? 0.1 : 0.4);
  const runsMs = hangs ? null : random.int(0, 12_000);
  return script({
    startMs: random.int(0, 3) * random.int(0, random.pick([400, 2_000])),
    startError: !isGood && random.chance(0.15) ? 'no such program' : undefined,
    adoptMs: random.int(0, 500),
    runsMs,
    result: resultOf(random, isGood),
    outputs: random.chance(0.85) ? ['a result'] : [],
    usage: random.chance(0.5) ? { input_tokens: random.int(1, 500), cost_usd: random.next() } : undefined,
    quotaMs: !isGood && random.chance(0.1) ? random.int(1_000, 40_000) : undefined,
    printsAt: Array.from({ length: random.int(0, 5) }, () => random.int(0, runsMs ?? 20_000)),
    words: random.chance(0.6) ? randomWords(random, isGood, runsMs ?? 8_000) : [],
    stopMs: random.chance(0.3) ? random.int(0, 5_000) : 20,
  });
}

function resultOf(random: Random, isGood: boolean): RunResult {
  if (isGood) return { kind: 'exited', code: 0 };
  return random.pick<RunResult>([
    { kind: 'exited', code: 1 },
    { kind: 'exited', code: 0 },
    { kind: 'signalled', signal: 'SIGSEGV' },
    { kind: 'threw', error: 'it broke' },
  ]);
}

function randomWords(random: Random, isGood: boolean, runsMs: number): Word[] {
  const at = (): number => random.int(0, runsMs);
  const words: Word[] = Array.from({ length: random.int(0, 3) }, () => ({
    atMs: at(),
    say: random.pick(['working', 'heartbeat', 'comment', 'output'] as const),
  }));
  if (random.chance(0.3)) {
    const expiresMs = random.chance(0.5) ? random.int(500, 20_000) : undefined;
    words.push({ atMs: at(), say: 'ask', expiresMs });
  }
  // Some ask for the answer, for a while, and some then withdraw.
  if (random.chance(0.2)) {
    const question = `q${random.int(1, 1_000_000)}`;
    const untilMs = random.int(0, 30_000);
    words.push(...asksAndPolls(question, at(), random.int(1, 10) * 500, untilMs));
    if (random.chance(0.4)) words.push({ atMs: untilMs + random.int(0, 5_000), say: 'withdraw', question });
  }
  const outputAt = at();
  if (isGood || random.chance(0.3)) {
    words.push({ atMs: outputAt, say: 'output' }, { atMs: outputAt + random.int(0, 1_000), say: 'review' });
  } else if (random.chance(0.7)) {
    words.push({ atMs: at(), say: random.pick(['failed', 'blocked'] as const) });
  }
  return words;
}
