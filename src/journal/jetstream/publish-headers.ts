import type { MsgHdrs } from '@nats-io/transport-node';

/** Header names of JetStream (ADR-4: case matters to the server). */
const MESSAGE_ID = 'Nats-Msg-Id';
const EXPECTED_SEQUENCE = 'Nats-Expected-Last-Sequence';
const EXPECTED_MESSAGE_ID = 'Nats-Expected-Last-Msg-Id';

/** More than the headers of an append take: three names, two ids and a number. */
export const HEADER_BYTES_MAX = 512;

/**
 * The headers of one append: its own id, and the sequence and id that must be the log's last.
 *
 * Both, because a sequence alone does not stop a pipeline at its first gap: the message that slipped in takes the
 * number of the refused one, and the expectation of the next is true again. The id breaks there.
 *
 * Encoded by hand: the client asks a header only for `encode()`, and its own implementation (a case-keeping
 * multi-map) takes more time than all the rest of a publish.
 */
export function appendHeaders(id: string, lastSequence: number, lastId: string): MsgHdrs {
  const chain = lastId === '' ? '' : `${EXPECTED_MESSAGE_ID}: ${lastId}\r\n`;
  const block = Buffer.from(
    `NATS/1.0\r\n${MESSAGE_ID}: ${id}\r\n${EXPECTED_SEQUENCE}: ${lastSequence}\r\n${chain}\r\n`,
    'latin1',
  );
  return { encode: () => block } as unknown as MsgHdrs;
}

export function messageIdOf(headers: MsgHdrs | undefined): string {
  return headers?.get(MESSAGE_ID) ?? '';
}
