/**
 * A model that costs nothing: answers each request of the OpenAI chat completions API with the same sentence, as one
 * document or as a stream. Listens on loopback only.
 */
import { createServer } from 'node:http';

/** @param {string} answer @returns {Promise<{ url: string, requests: () => number, close: () => Promise<void> }>} */
export async function startModelServer(answer) {
  let requests = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      if (!request.url?.endsWith('/chat/completions')) return json(response, { object: 'list', data: [] });
      requests++;
      const { stream, model } = JSON.parse(body);
      if (stream) streamed(response, model, answer);
      else json(response, completion(model, answer));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve(undefined));
      }),
  };
}

const USAGE = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 };

function completion(model, content) {
  const choice = { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' };
  return { id: 'c', object: 'chat.completion', created: 1, model, choices: [choice], usage: USAGE };
}

function streamed(response, model, content) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const chunk = (choices, usage) => {
    const event = { id: 'c', object: 'chat.completion.chunk', created: 1, model, choices, usage };
    response.write(`data: ${JSON.stringify(event)}\n\n`);
  };
  chunk([{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }]);
  chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]);
  chunk([], USAGE);
  response.end('data: [DONE]\n\n');
}

function json(response, body) {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
