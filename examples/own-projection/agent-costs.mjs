#!/usr/bin/env node
/**
 * A service that keeps a projection of its own: what each agent has done, and what it has cost.
 *
 *     NATS_URL=nats://127.0.0.1:4222 node examples/own-projection/agent-costs.mjs agent-costs.json
 *
 * It reads the log from its beginning, follows it live, and keeps its state with the sequence of the last event in it.
 * Started again, it goes on from there. Whatever happens to the file: deleted, it comes back the same.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { connect } from '@nats-io/transport-node';
import { follow, natsSource } from 'signalbox/replay';

/** A projection is a fold: nothing but the state and the record goes in, so every replay comes to the same. */
export const agentCosts = {
  name: 'agent-costs',
  version: 1,
  initial: () => ({}),
  evolve(state, { event, time }) {
    if (event.type === 'task.claimed') {
      state[event.agent] ??= { attempts: 0, failed: 0, busy_ms: 0, cost_usd: 0, open: {} };
      state[event.agent].attempts++;
      state[event.agent].open[keyOf(event)] = time;
    }
    if (event.type === 'attempt.ended') {
      const agent = state[event.agent];
      agent.busy_ms += time - agent.open[keyOf(event)];
      delete agent.open[keyOf(event)];
      if (event.outcome !== 'completed') agent.failed++;
      agent.cost_usd += event.usage?.cost_usd ?? 0;
    }
  },
  toJSON: (state) => state,
};

function keyOf({ project, task, attempt }) {
  return `${project}/${task}/${attempt}`;
}

const SAVED_EVERY = 1_000;

/** Keeps the projection in `file` until the signal is aborted. */
export async function keep({ source, file, signal, onSaved = () => {} }) {
  const end = await source.lastSequence();
  let unsaved = 0;
  for await (const { sequence, state } of follow(source, agentCosts, { resume: await load(file), signal })) {
    // On the way to the end of the log not every event is worth a write.
    if (++unsaved < SAVED_EVERY && sequence < end) continue;
    await save(file, { version: agentCosts.version, sequence, state });
    unsaved = 0;
    onSaved(sequence);
  }
}

/** The saved state; empty if there is none, or if another version of the projection saved it. */
async function load(file) {
  try {
    const { version, sequence, state } = JSON.parse(await readFile(file, 'utf8'));
    return version === agentCosts.version ? { sequence, state } : undefined;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** State and sequence in one step: one without the other would count an event twice, or not at all. */
async function save(file, kept) {
  await writeFile(`${file}.new`, JSON.stringify(kept, null, 2));
  await rename(`${file}.new`, file);
}

async function main(file = 'agent-costs.json') {
  const { NATS_URL: servers, NATS_USER: user, NATS_PASSWORD: pass } = process.env;
  const connection = await connect({ servers, user, pass, maxReconnectAttempts: -1, noAsyncTraces: true });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
  const onSaved = (sequence) => console.log(`${file} is at event ${sequence}`);
  await keep({ source: await natsSource(connection), file, signal: stop.signal, onSaved });
  await connection.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2]);
