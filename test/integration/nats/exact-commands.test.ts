/** What would not be kept as it was sent is refused over NATS and by the library, as over HTTP. */
import { headers } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { taskAnswerSchema } from '../../../src/contracts/api/answers.ts';
import { problemSchema } from '../../../src/contracts/api/system-answers.ts';
import { REMOTE, RemoteWorld } from '../../support/nats/remote.ts';

describe('operations/refused-leaves-no-trace: commands that would not be kept as they were sent', () => {
  it('are refused over NATS', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const connection = await world.connect();
    const call = async (
      name: string,
      payload: string | Uint8Array,
      fields: readonly [string, string][] = [],
    ) => {
      const sent = headers();
      for (const [field, value] of fields) sent.append(field, value);
      const subject = `signalbox.v1.cmd.demo.${name}`;
      const reply = await connection.request(subject, payload, { timeout: 5_000, headers: sent });
      return { code: Number(reply.headers?.get('Nats-Service-Error-Code') ?? 0), body: reply.json() };
    };
    const task = '"title":"x","agent":"far"';
    const refused: [payload: string | Uint8Array, detail: RegExp][] = [
      [`{${task},"title":"y"}`, /^payload: title: the key is there twice/],
      [String.raw`{${task},"params":{"a":1,"\u0061":2}}`, /^payload: params\.a: the key is there twice/],
      [`{${task},"params":{"__proto__":1}}`, /__proto__/],
      [String.raw`{${task},"description":"\ud800"}`, /^payload: description: .*surrogate/],
      [Buffer.from(`{${task},"description":"\xff"}`, 'latin1'), /^payload: not UTF-8/],
      [`{${task},"params":{"n":1e400}}`, /kept exactly/],
    ];
    for (const [payload, detail] of refused) {
      const { code, body } = await call('createTask', payload);
      expect([code, problemSchema.parse(body).detail]).toEqual([400, expect.stringMatching(detail)]);
    }
    for (const limit of ['"0x10"', '"1e1"', '" 5"', '5.5', 'true', '{}', '[1,2]']) {
      expect([limit, (await call('listTasks', `{"limit":${limit}}`)).code]).toEqual([limit, 400]);
    }
    expect((await call('listTasks', '{"q":{"a":1}}')).code).toBe(400);
    for (const twice of ['Authorization', 'authorization']) {
      const fields: [string, string][] = [
        ['Authorization', 'Bearer a'],
        [twice, 'Bearer b'],
      ];
      const { code, body } = await call('listTasks', '{}', fields);
      expect([code, problemSchema.parse(body).detail]).toEqual([
        400,
        expect.stringMatching(/header .* twice/),
      ]);
    }
    expect((await world.box.listTasks({ project: 'demo' })).tasks).toEqual([]);
    expect((await call('listTasks', ' \n')).body).toMatchObject({ tasks: [] });
    expect((await call('listTasks', '{"limit":5}')).body).toMatchObject({ tasks: [] });
  });

  it('are refused by the library, which takes a copy of what it accepts', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const task = { project: 'demo', title: 'x', agent: 'far' };
    const refused: object[] = [
      { title: 'a\ud800' },
      { params: { a: Number.NaN } },
      { params: { at: new Date(0) } },
      { params: { big: 1n } },
      { params: JSON.parse('{"__proto__":1}') },
      { labels: { '\udc00': 'x' } },
    ];
    for (const fields of refused) {
      const created = world.box.createTask({ ...task, ...fields });
      await expect(created).rejects.toMatchObject({ code: 'invalid_request' });
    }
    expect((await world.box.listTasks({ project: 'demo' })).tasks).toEqual([]);
    const params = { list: [1] };
    const { id } = await world.box.createTask({ ...task, params });
    params.list.push(2);
    const read = taskAnswerSchema.parse(await world.box.readTask({ project: 'demo', task: id }));
    expect(read.params).toEqual({ list: [1] });
  });
});
