/**
 * A model on loopback: it speaks the Messages API (Claude Code, OpenCode) and the API of Gemini, and does what the prompt says,
 * so that the real programs can be tried without a key and without cost.
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
      const { pathname } = new URL(request.url, 'http://localhost');
      const api = APIS.find(({ path }) => path.test(pathname));
      if (request.method !== 'POST' || !api) {
        const isCount = /count_?tokens$/i.test(pathname);
        return json(response, isCount ? 200 : 404, { input_tokens: 10, totalTokens: 10 });
      }
      const body = JSON.parse(Buffer.concat(pieces).toString());
      requests.push(body);
      api.answer(response, body, pathname);
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

const APIS = [
  { path: /\/messages$/, answer: answerMessages },
  { path: /:(stream)?generateContent$/i, answer: answerGemini },
];

/**
 * What the model does next.
 * @param blocks what was said, as { user: text }, { call: true } and { result: text }
 */
function nextOf(blocks) {
  const planned = blocks
    .flatMap(({ user }) => user ?? [])
    .flatMap((text) => [...text.matchAll(DIRECTIVE)].map(([, call]) => JSON.parse(call)));
  const next = planned[blocks.filter(({ call }) => call).length];
  if (next) return { call: next };
  const result = blocks.findLast(({ result }) => result !== undefined)?.result;
  return { text: result === undefined ? 'Nothing to do.' : `The result was: ${result}` };
}

function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function answerMessages(response, body) {
  const next =
    (body.tools ?? []).length === 0 ? { text: 'ok' } : nextOf(body.messages.flatMap(messageBlocks));
  const content = next.call
    ? { type: 'tool_use', id: `toolu_${Math.random().toString(36).slice(2)}`, ...next.call }
    : { type: 'text', text: next.text };
  const message = {
    id: `msg_${Math.random().toString(36).slice(2)}`,
    type: 'message',
    role: 'assistant',
    model: body.model,
    content: [content],
    stop_reason: next.call ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
  };
  if (!body.stream) return json(response, 200, message);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type, data) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  send('message_start', {
    message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 10, output_tokens: 1 } },
  });
  const start = next.call ? { ...content, input: {} } : { type: 'text', text: '' };
  const delta = next.call
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

function messageBlocks({ role, content }) {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  return blocks.map((block) => {
    if (block.type === 'tool_use') return { call: true };
    if (block.type === 'tool_result') return { result: textOf(block.content) };
    return role === 'user' ? { user: block.text ?? '' } : {};
  });
}

function textOf(content) {
  return typeof content === 'string' ? content : (content ?? []).map(({ text = '' }) => text).join('');
}

function answerGemini(response, body, path) {
  const hasTools = (body.tools ?? []).length > 0;
  const next = hasTools ? nextOf(body.contents.flatMap(geminiBlocks)) : { text: '{}' };
  const part = next.call
    ? { functionCall: { name: next.call.name, args: next.call.input } }
    : { text: next.text };
  const answer = {
    candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
    modelVersion: 'stub',
  };
  if (!/:stream/.test(path)) return json(response, 200, answer);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`data: ${JSON.stringify(answer)}\n\n`);
}

function geminiBlocks({ role, parts = [] }) {
  return parts.map((part) => {
    if (part.functionCall) return { call: true };
    if (part.functionResponse) return { result: JSON.stringify(part.functionResponse.response) };
    return role === 'user' ? { user: part.text ?? '' } : {};
  });
}
