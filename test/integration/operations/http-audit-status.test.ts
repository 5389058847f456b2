/** What is proved of the log, over HTTP. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/base/hash.ts';
import { type AuditStatusAnswer, auditStatusSchema } from '../../../src/contracts/api/audit-status.ts';
import { Checkpointer } from '../../../src/features/audit/checkpointer.ts';
import { KeyFile } from '../../../src/features/audit/key-file.ts';
import { functionAgent, silentLogger } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp } from '../../support/http/http.ts';
import { MemoryLog } from '../../support/memory-journal.ts';
import { until } from '../../support/until.ts';

const EVERY_EVENTS = 10;

interface Started extends AsyncDisposable {
  readonly http: TestHttp;
  readonly checkpointer: Checkpointer;
}

describe('the audit over HTTP', () => {
  let directory: string;
  let log: MemoryLog;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signalbox-audit-status-'));
    log = new MemoryLog();
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  async function start(): Promise<Started> {
    const checkpointer = await Checkpointer.open({
      keys: new KeyFile(directory),
      logger: silentLogger,
      everyEvents: EVERY_EVENTS,
    });
    const agents = [functionAgent('worker', new Gate().handler)];
    const http = await startHttp({ agents, keys: checkpointer }, {}, undefined, log);
    await checkpointer.start(http.test.app);
    const stop = async (): Promise<void> => {
      await checkpointer.stop();
      await http[Symbol.asyncDispose]();
    };
    return { http, checkpointer, [Symbol.asyncDispose]: stop };
  }

  const read = async (http: TestHttp): Promise<AuditStatusAnswer> =>
    auditStatusSchema.parse((await http.get('/api/audit/status')).body);

  it('shows the end of the log, the number of keys and the newest checkpoint; also after a restart', async () => {
    let before: AuditStatusAnswer;
    {
      await using first = await start();
      const { http, checkpointer } = first;
      const { sequence, ...status } = await read(http);
      expect(status).toMatchObject({
        keys: 1,
        checkpoint: null,
        unsigned_events: sequence,
        verification: null,
      });
      for (let count = 0; count < EVERY_EVENTS; count++) {
        await http.post(TASKS, { title: 'a task', agent: 'worker', delay_seconds: 60 });
      }
      await until(async () => (await read(http)).checkpoint !== null, 'a checkpoint is there');
      await http.post('/api/audit/keys/rotate', { by: 'ann' });
      const { keys, checkpoint } = await read(http);
      expect(keys).toBe(2);
      expect(checkpoint?.sequence).toBeGreaterThanOrEqual(EVERY_EVENTS);
      await checkpointer.stop();
      before = await read(http);
      const last = log.messages.at(-1);
      expect(before).toMatchObject({
        sequence: last?.sequence,
        head_sha256: sha256(last?.bytes ?? ''),
        checkpoint: { key: http.test.app.state.host.get('supervisor', 'supervisor')?.context.key },
        // The last event before the checkpoint, whose hash the next one tells, and the checkpoint itself.
        unsigned_events: 2,
      });
    }
    await using second = await start();
    expect(await read(second.http)).toMatchObject({ keys: 2, checkpoint: before.checkpoint });
  });

  it('verifies the log on request, and shows the result', async () => {
    await using started = await start();
    const { http } = started;
    await http.working('a');
    const answer = await http.post('/api/audit/verify', { by: 'ann' });
    expect(answer.status).toBe(202);
    const begun = auditStatusSchema.parse(answer.body).verification;
    expect(begun).toMatchObject({ state: 'running', by: 'ann', checked: 0, ended_at: null });
    const isOver = async () => (await read(http)).verification?.state !== 'running';
    await until(isOver, 'it is over');
    const { sequence, verification } = await read(http);
    expect(verification).toMatchObject({ state: 'passed', finding: null, checked: verification?.total });
    expect(verification?.total).toBeLessThanOrEqual(sequence);

    const place = 2;
    const [message] = log.messages.splice(place - 1, 1);
    expect(message?.sequence).toBe(place);
    await http.post('/api/audit/verify');
    await until(isOver, 'it is over again');
    expect((await read(http)).verification).toMatchObject({
      state: 'failed',
      by: 'anonymous',
      finding: { sequence: place, message: expect.stringContaining(`event ${place} is missing`) },
    });
  });

  it('can be started only by an operator', async () => {
    await using started = await start();
    const { http } = started;
    await http.working('a');
    const token = http.token('a');
    problemIn(await http.post('/api/audit/verify', {}, { token }), 403, 'forbidden');
    expect((await read(http)).verification).toBeNull();
  });
});
