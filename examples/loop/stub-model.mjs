#!/usr/bin/env node
/**
 * A stub model, to try the loop without a real one: it runs the commands in backticks in the request, waits
 * for what comes of them, and repeats it. It speaks both forms, at /v1/chat/completions and at /v1/messages.
 *
 *     node examples/loop/stub-model.mjs 8099
 */
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

/** What it answers, from all that was said by others, in order. @param {string[]} said */
function answerTo(said) {
  const commands = [...(said[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, command]) => command);
  const results = said
    .slice(1)
    .flatMap((text) => [...text.matchAll(/^\[bg:.*(?:\n(?!\[bg:|<\/).*)*/gm)].map(([line]) => line));
  const started = said.filter((text) => text.startsWith('Background task ID started: ')).length;
  if (started < commands.length) return { text: '', commands };
  if (results.length < commands.length) return { text: 'I wait for the results.', commands: [] };
  return { text: `Done:\n${results.join('\n')}`, commands: [] };
}

/** @returns {Promise<import('node:http').Server>} that listens; every request that it got goes to `seen` */
export function startStubModel(port = 0, seen = (_body) => {}) {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text);
    seen(body);
    const isOpenai = request.url === '/v1/chat/completions';
    if (!isOpenai && request.url !== '/v1/messages') return response.writeHead(404).end('{}');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isOpenai ? asOpenai(body) : asAnthropic(body)));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function asOpenai({ messages }) {
  const said = messages
    .filter(({ role }) => role === 'user' || role === 'tool')
    .map(({ content }) => content);
  const { text, commands } = answerTo(said);
  const tool_calls = commands.map((command, index) => ({
    id: `call_${index}`,
    type: 'function',
    function: { name: 'background_run', arguments: JSON.stringify({ command }) },
  }));
  const message = { role: 'assistant', content: text, ...(tool_calls.length > 0 && { tool_calls }) };
  return { choices: [{ index: 0, message, finish_reason: tool_calls.length > 0 ? 'tool_calls' : 'stop' }] };
}

function asAnthropic({ messages }) {
  const blocks = messages.filter(({ role }) => role === 'user').flatMap(({ content }) => content);
  const { text, commands } = answerTo(blocks.map((block) => block.text ?? block.content));
  const calls = commands.map((command, index) => ({
    type: 'tool_use',
    id: `toolu_${index}`,
    name: 'background_run',
    input: { command },
  }));
  const content = calls.length > 0 ? calls : [{ type: 'text', text }];
  return {
    type: 'message',
    role: 'assistant',
    content,
    stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await startStubModel(Number(process.argv[2] ?? 8099));
  console.log(`a stub model listens at http://127.0.0.1:${server.address().port}/v1`);
}
