/** What is proved of the log at the moment, for who looks after it; and its verification on demand. */

import type { AppContext, Needs } from '../../app/context.ts';
import type { AuditStatusAnswer } from '../../contracts/api/audit-status.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { SUPERVISOR_ID } from '../../contracts/events/events.ts';
import { supervisorFilter } from '../../contracts/messages/subjects.ts';
import { readRecord } from '../../engine/runtime/rebuild.ts';
import { LogCheck, type LogCheckOptions } from './log-check.ts';

export interface AuditDeskOptions extends LogCheckOptions {
  readonly app: AppContext;
}

export class AuditDesk {
  readonly #app: AppContext;
  readonly #check: LogCheck;
  readonly #stopListening: () => void;
  #keys: number;
  #checkpoint: AuditStatusAnswer['checkpoint'];

  private constructor(options: AuditDeskOptions, keys: number, checkpoint: AuditStatusAnswer['checkpoint']) {
    this.#app = options.app;
    this.#check = new LogCheck(options);
    this.#keys = keys;
    this.#checkpoint = checkpoint;
    this.#stopListening = options.app.log.onRecord((record) => this.#onRecord(record));
  }

  /** To be called before anybody signs. @throws SignalboxError `nats_unavailable` */
  static async open(options: AuditDeskOptions): Promise<AuditDesk> {
    let keys = 0;
    for await (const _ of options.app.log.messages.readByFilter(supervisorFilter('key_introduced'))) keys++;
    return new AuditDesk(options, keys, await newestCheckpoint(options.app));
  }

  status(): AuditStatusAnswer {
    const { tip, hash } = this.#app.log.last;
    return {
      sequence: tip.sequence,
      head_sha256: hash,
      keys: this.#keys,
      checkpoint: this.#checkpoint,
      unsigned_events: tip.sequence - (this.#checkpoint?.sequence ?? 0),
      verification: this.#check.verification,
    };
  }

  /** Verifies the whole log; where that is under way already, it goes on. @param by who asks for it */
  verify(by: string): AuditStatusAnswer {
    this.#check.start(by);
    return this.status();
  }

  async close(): Promise<void> {
    this.#stopListening();
    await this.#check.close();
  }

  #onRecord(record: StoredRecord): void {
    if (record.event.type === 'supervisor.key_introduced') this.#keys++;
    this.#checkpoint = checkpointIn(record) ?? this.#checkpoint;
  }
}

/** It stands soon after the last event that it covers. */
async function newestCheckpoint({
  state,
  log,
}: Needs<'state.host' | 'log.messages'>): Promise<AuditStatusAnswer['checkpoint']> {
  const covered = state.host.get('supervisor', SUPERVISOR_ID)?.context.checkpoint ?? 0;
  if (covered === 0) return null;
  for await (const message of log.messages.read({ from: covered + 1 })) {
    const checkpoint = checkpointIn(readRecord(message));
    if (checkpoint?.sequence === covered) return checkpoint;
  }
  return null;
}

function checkpointIn({ event, time }: StoredRecord): AuditStatusAnswer['checkpoint'] {
  if (event.type !== 'supervisor.checkpointed') return null;
  return { sequence: event.sequence, time: new Date(time).toISOString(), key: event.key };
}
