/** What a conversation keeps of a program that asks without an end. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { claudeProtocol } from '../../../src/drivers/conversation/claude.ts';
import type { Link } from '../../../src/drivers/conversation/protocol.ts';
import { type AgentRequest, Requests } from '../../../src/drivers/conversation/requests.ts';
import { runRequest } from '../../support/process/run-request.ts';

const MIB = 1_024 * 1_024;

interface Sent {
  readonly key: string;
  readonly message: object;
}

function linkWith(ask: () => Promise<void>): { readonly link: Link; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  const link: Link = {
    request: runRequest({ ask }),
    send: async (key, message) => {
      sent.push({ key, message });
      return 'sent';
    },
    note: () => {},
    wasSent: async () => false,
    sentKeys: async () => [],
    resulted: () => {},
    over: () => {},
    failed: () => {},
    workDirectory: '/nonexistent',
    mcpServer: null,
  };
  return { link, sent };
}

function request(bytes: number, alias?: string): AgentRequest {
  return {
    question: { kind: 'permission', message: 'x'.repeat(bytes) },
    alias,
    reply: (answer) => ({ answer }),
    refusal: (why) => ({ why }),
  };
}

describe('open requests', () => {
  it('are refused beyond 64 MiB, until others are over', async () => {
    const { link, sent } = linkWith(async () => {});
    const requests = new Requests(link);
    for (let index = 0; index < 4; index++)
      requests.found(`${index}`, request(16 * MIB - 1_000, `tool-${index}`));
    expect(sent).toEqual([]);
    requests.found('one more', request(4_000));
    expect(sent.map(({ message }) => message)).toEqual([
      { why: `its open questions would take more than ${64 * MIB} bytes` },
    ]);
    requests.overByAlias('tool-2');
    requests.over('3');
    requests.found('another', request(31 * MIB));
    expect(sent).toHaveLength(1);
    requests.allOver();
    for (let index = 0; index < 4; index++) requests.found(`again ${index}`, request(15 * MIB));
    expect(sent).toHaveLength(1);
  });

  it('that are refused by the log are not held any longer, and get one reply', async () => {
    const refused = async (): Promise<void> => {
      throw new SignalboxError('question_too_large', 'too large');
    };
    const { link, sent } = linkWith(refused);
    const requests = new Requests(link);
    for (let round = 1; round <= 3; round++) {
      requests.found(`${round}`, request(60 * MIB));
      requests.caughtUp();
      await new Promise(setImmediate);
      expect(sent.at(-1)?.message).toEqual({ why: 'too large' });
      expect(sent).toHaveLength(round);
    }
  });
});

describe('Claude Code', () => {
  it('asks with hundreds of files of a megabyte, in bounded memory', async () => {
    const { link, sent } = linkWith(async () => {});
    const speaker = claudeProtocol.speaker(link);
    setFlagsFromString('--expose-gc');
    const heap = (): number => {
      runInNewContext('gc()');
      return process.memoryUsage().heapUsed;
    };
    const before = heap();
    for (let index = 0; index < 300; index++) {
      const input = { file_path: '/tmp/a', content: `${index}${'x'.repeat(MIB)}` };
      const tool = { subtype: 'can_use_tool', tool_name: 'Write', input, tool_use_id: `tool-${index}` };
      const event = { type: 'control_request', request_id: `request-${index}`, request: tool };
      speaker.receive(JSON.parse(JSON.stringify(event)));
    }
    expect(sent).toEqual([]);
    expect(heap() - before).toBeLessThan(100 * MIB);
    speaker.close();
  });
});
