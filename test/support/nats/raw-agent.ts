/** An agent over NATS that says what a test wants: no library. */
import { jetstream } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { expect } from 'vitest';
import type { AgentAnswerMessage, Job } from '../../../src/contracts/messages/agent-messages.ts';
import { agentSubject, controlSubject } from '../../../src/contracts/messages/subjects.ts';
import { until } from '../until.ts';

export class RawAgent {
  /** The answers that are waited for; null as long as there is none. */
  readonly #answers = new Map<string, AgentAnswerMessage | null>();
  readonly #connection: NatsConnection;
  readonly #agent: string;
  #count = 0;

  constructor(connection: NatsConnection, agent: string) {
    this.#connection = connection;
    this.#agent = agent;
    connection.subscribe(controlSubject(agent, 'answer'), {
      callback: (_, message) => {
        const answer = message.json<AgentAnswerMessage>();
        if (this.#answers.has(answer.id)) this.#answers.set(answer.id, answer);
      },
    });
  }

  /** Stores a message and returns what became of it. */
  async say(
    kind: string,
    body: Readonly<Record<string, unknown>> | string,
    messageId = `${this.#agent}-${this.#count++}`,
    ...moreIds: readonly string[]
  ): Promise<AgentAnswerMessage> {
    const id = typeof body === 'object' && typeof body.id === 'string' ? body.id : messageId;
    await this.#connection.flush();
    this.#answers.set(id, null);
    const payload = typeof body === 'string' ? body : JSON.stringify({ type: kind, ...body });
    await jetstream(this.#connection).publish(agentSubject(this.#agent, kind as 'status'), payload, {
      headers: idHeader(messageId, ...moreIds),
    });
    await until(() => this.#answers.get(id) !== null, `an answer to ${id}`);
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    return answer ?? Promise.reject(new Error('no answer'));
  }

  async job(): Promise<Job> {
    const consumer = await jetstream(this.#connection).consumers.get('SIGNALBOX_WORK', this.#agent);
    const message = await consumer.next({ expires: 5_000 });
    if (!message) throw new Error('no job');
    message.ack();
    return message.json<Job>();
  }

  async begin(): Promise<{ project: string; taskId: string; attempt: number; token: string }> {
    await this.say('announce', { agent: this.#agent });
    const { project, taskId, attempt, token } = await this.job();
    const word = { project, taskId, attempt, token };
    expect(await this.say('status', { ...word, status: 'working' })).toMatchObject({ ok: true });
    return word;
  }
}

function idHeader(...ids: readonly string[]) {
  const sent = headers();
  for (const id of ids) sent.append('Nats-Msg-Id', id);
  return sent;
}
