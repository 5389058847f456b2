/** Calls commands over NATS, as another program would. */
import { headers, type NatsConnection } from '@nats-io/transport-node';

interface Reply {
  readonly body: unknown;
  readonly status: number;
  readonly errorCode: number;
}

type Fields = Readonly<Record<string, string>>;

/** Sends a command, with a token and other headers; resolves with its answer. */
export function caller(connection: NatsConnection) {
  return async (
    subject: string,
    payload: object = {},
    token?: string,
    fields: Fields = {},
  ): Promise<Reply> => {
    const sent = headers();
    for (const [name, value] of Object.entries(fields)) sent.set(name, value);
    if (token !== undefined) sent.set('Authorization', `Bearer ${token}`);
    const reply = await connection.request(`signalbox.v1.cmd.${subject}`, JSON.stringify(payload), {
      timeout: 5_000,
      headers: sent,
    });
    return {
      body: reply.json(),
      status: Number(reply.headers?.get('Signalbox-Status') ?? 0),
      errorCode: Number(reply.headers?.get('Nats-Service-Error-Code') ?? 0),
    };
  };
}
