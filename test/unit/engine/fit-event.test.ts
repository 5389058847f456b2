/** Events of the supervisor that are too large are cut with a mark, so that they are always recorded. */
import { expect, it } from 'vitest';
import type { DomainEvent } from '../../../src/contracts/events/events.ts';
import { cutToJsonBytes, fitEvent } from '../../../src/engine/supervisor/fit-event.ts';
import { functionAgent, startEngine } from '../../support/engine.ts';

/** `max_payload: 65536`, without the headers of a message. */
const MAX_EVENT_BYTES = 63_488;

it.each([
  ['猫', 30_000],
  ['\u0000', 20_000],
  ['a', 200_000],
  ['🐈', 20_000],
])('attempts/ended-for-certain: an error of %j is recorded, cut with a mark', async (character, count) => {
  const agent = functionAgent('a', () => {
    throw new Error(character.repeat(count));
  });
  const limits = {
    concurrency: 10,
    projectConcurrency: 10,
    queueDepth: 10,
    backlog: 100,
    maxEventBytes: MAX_EVENT_BYTES,
  };
  await using test = await startEngine({ agents: [agent], limits });
  const task = await test.create({ id: 't', agent: 'a', max_attempts: 1 });
  await test.until('t', ({ state }) => state === 'failed');
  const ended = (await test.history(task)).find(({ event }) => event.type === 'attempt.ended')?.event;
  expect(ended).toMatchObject({ outcome: 'failed', error: expect.stringContaining('[cut by Signalbox') });
  expect(Buffer.byteLength(JSON.stringify(ended))).toBeLessThan(MAX_EVENT_BYTES);
  expect(test.app.state.host.count('attempt')).toBe(0);
});

it('cuts the longest texts first, and never ids or short texts', () => {
  const event: DomainEvent = {
    type: 'attempt.ended',
    project: 'demo',
    task: 't'.repeat(64),
    attempt: 1,
    agent: 'a',
    outcome: 'failed',
    error: '猫'.repeat(9_000),
    stderr_tail: 'x'.repeat(3_000),
    evidence: { commands: ['"'.repeat(8_000), 'short'] },
    retry_at_ms: null,
  };
  const fitted = fitEvent(event, 12_000);
  expect(Buffer.byteLength(JSON.stringify(fitted))).toBeLessThanOrEqual(12_000);
  expect(fitted).toMatchObject({
    task: event.task,
    error: expect.stringMatching(/^猫+ … \[cut by Signalbox: the text has 27000 bytes\]$/),
    evidence: { commands: [expect.any(String), 'short'] },
  });
  expect(fitEvent(event, 100_000)).toEqual(event);
});

it('does not cut a character in two', () => {
  for (let bytes = 100; bytes < 120; bytes++) {
    const cut = cutToJsonBytes('🐈'.repeat(100), bytes);
    expect(Buffer.byteLength(JSON.stringify(cut))).toBeLessThanOrEqual(bytes);
    expect(Buffer.from(cut).toString()).toBe(cut);
  }
});
