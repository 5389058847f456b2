/**
 * A model on loopback for Claude Code: it speaks the Messages API and does what the prompt says, so that the real program
 * can be tried without a key and without cost.
 *
 * A line "STUB: {"name": "Bash", "input": {"command": "date"}}" in a user's text is one tool call. The calls are made in
 * order, one each turn; then the model answers with a text that quotes the newest result.
 */
import { createServer } from 'node:http';

const DIRECTIVE = /^STUB: (\{.*\})$/gm;

/** @returns {Promise<{ url: string, requests: object[], close: () => void }>} */
export async function startModel() {
  const requests = [];
  const server = createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const path = new URL(request.url, 'http://localhost').pathname;
      if (request.method !== 'POST' || path !== '/v1/messages') {
        response.writeHead(path === '/v1/messages/count_tokens' ? 200 : 404, {
          'content-type': 'application/json',
        });
        return response.end('{"input_tokens":10}');
      }
      const body = JSON.parse(Buffer.concat(pieces).toString());
      requests.push(body);
      answer(response, body);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(response, body) {
  const content = contentFor(body);
  const message = {
    id: `msg_${Math.random().toString(36).slice(2)}`,
    type: 'message',
    role: 'assistant',
    model: body.model,
    content: [content],
    stop_reason: content.type === 'tool_use' ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
  };
  if (!body.stream) {
    response.writeHead(200, { 'content-type': 'application/json' });
    return response.end(JSON.stringify(message));
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type, data) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  send('message_start', {
    message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 10, output_tokens: 1 } },
  });
  const isTool = content.type === 'tool_use';
  const start = isTool ? { ...content, input: {} } : { type: 'text', text: '' };
  const delta = isTool
    ? { type: 'input_json_delta', partial_json: JSON.stringify(content.input) }
    : { type: 'text_delta', text: content.text };
  send('content_block_start', { index: 0, content_block: start });
  send('content_block_delta', { index: 0, delta });
  send('content_block_stop', { index: 0 });
  send('message_delta', {
    delta: { stop_reason: message.stop_reason, stop_sequence: null },
    usage: { output_tokens: 5 },
  });
  send('message_stop', {});
  response.end();
}

function contentFor({ messages, tools = [] }) {
  if (tools.length === 0) return { type: 'text', text: 'ok' };
  const blocks = messages.flatMap(({ role, content }) =>
    (typeof content === 'string' ? [{ type: 'text', text: content }] : content).map((block) => ({
      role,
      ...block,
    })),
  );
  const planned = blocks
    .filter(({ role, type }) => role === 'user' && type === 'text')
    .flatMap(({ text }) => [...text.matchAll(DIRECTIVE)].map(([, json]) => JSON.parse(json)));
  const made = blocks.filter(({ type }) => type === 'tool_use').length;
  const next = planned[made];
  if (next) return { type: 'tool_use', id: `toolu_${made}_${Math.random().toString(36).slice(2)}`, ...next };
  const result = blocks.findLast(({ type }) => type === 'tool_result');
  return { type: 'text', text: result ? `The result was: ${textOf(result.content)}` : 'Nothing to do.' };
}

function textOf(content) {
  return typeof content === 'string' ? content : (content ?? []).map(({ text = '' }) => text).join('');
}
