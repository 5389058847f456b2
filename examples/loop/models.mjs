/**
 * Two ways to talk to a model, as one function. A conversation is a list of messages of the form below.
 *
 * @typedef {{ id: string, name: string, input: Record<string, unknown> }} Call
 * @typedef {{ role: 'user', text: string }
 *   | { role: 'assistant', text: string, calls: readonly Call[] }
 *   | { role: 'tool', results: readonly { id: string, text: string }[] }} Message
 * @typedef {{ system: string, tools: readonly { name: string, description: string, parameters: object }[],
 *   conversation: readonly Message[] }} Turn
 * @typedef {(turn: Turn) => Promise<{ text: string, calls: readonly Call[] }>} Model
 */
const MAX_TOKENS = 4_096;
const ONE_ANSWER_MS = 300_000;

/** @param {Readonly<Record<string, string | undefined>>} env @returns {Model} */
export function modelOf({ MODEL_API = 'openai', MODEL_URL, MODEL, MODEL_KEY = '' }) {
  if (!MODEL_URL || !MODEL)
    throw new Error('set MODEL_URL and MODEL (and MODEL_KEY): see examples/README.md');
  const url = MODEL_URL.replace(/\/+$/, '');
  if (MODEL_API === 'openai') return openai(url, MODEL, MODEL_KEY);
  if (MODEL_API === 'anthropic') return anthropic(url, MODEL, MODEL_KEY);
  throw new Error(`MODEL_API ${MODEL_API}: expected openai or anthropic`);
}

/** Any server of the form `…/v1/chat/completions`. @returns {Model} */
function openai(url, model, key) {
  return async ({ system, tools, conversation }) => {
    const { choices } = await post(
      `${url}/chat/completions`,
      { authorization: `Bearer ${key}` },
      {
        model,
        messages: [{ role: 'system', content: system }, ...conversation.flatMap(toOpenai)],
        tools: tools.map((tool) => ({ type: 'function', function: tool })),
      },
    );
    const { content, tool_calls = [] } = choices[0].message;
    const calls = (tool_calls ?? []).map(({ id, function: { name, arguments: input } }) => ({
      id,
      name,
      input: JSON.parse(input || '{}'),
    }));
    return { text: content ?? '', calls };
  };
}

/** @param {Message} message */
function toOpenai(message) {
  if (message.role === 'user') return [{ role: 'user', content: message.text }];
  if (message.role === 'tool') {
    return message.results.map(({ id, text }) => ({ role: 'tool', tool_call_id: id, content: text }));
  }
  const tool_calls = message.calls.map(({ id, name, input }) => ({
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));
  return [{ role: 'assistant', content: message.text, ...(tool_calls.length > 0 && { tool_calls }) }];
}

/** Any server of the form `…/v1/messages`. @returns {Model} */
function anthropic(url, model, key) {
  return async ({ system, tools, conversation }) => {
    const headers = { 'x-api-key': key, 'anthropic-version': '2023-06-01' };
    const { content } = await post(`${url}/messages`, headers, {
      model,
      max_tokens: MAX_TOKENS,
      system,
      messages: alternating(conversation.map(toAnthropic)),
      tools: tools.map(({ parameters, ...tool }) => ({ ...tool, input_schema: parameters })),
    });
    const text = content.filter(({ type }) => type === 'text').map((block) => block.text);
    const calls = content.filter(({ type }) => type === 'tool_use');
    return { text: text.join(''), calls: calls.map(({ id, name, input }) => ({ id, name, input })) };
  };
}

/** @param {Message} message */
function toAnthropic(message) {
  if (message.role === 'user') return { role: 'user', content: [{ type: 'text', text: message.text }] };
  if (message.role === 'tool') {
    const blocks = message.results.map(({ id, text }) => ({
      type: 'tool_result',
      tool_use_id: id,
      content: text,
    }));
    return { role: 'user', content: blocks };
  }
  const calls = message.calls.map((call) => ({ type: 'tool_use', ...call }));
  // A block of text must not be empty, and neither must a message.
  const text = message.text === '' && calls.length > 0 ? [] : [{ type: 'text', text: message.text || '…' }];
  return { role: 'assistant', content: [...text, ...calls] };
}

/** Neighbours of the same role become one message: results of tools, and the notifications after them. */
function alternating(messages) {
  const merged = [];
  for (const { role, content } of messages) {
    const last = merged.at(-1);
    if (last?.role === role) last.content.push(...content);
    else merged.push({ role, content: [...content] });
  }
  return merged;
}

async function post(url, headers, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ONE_ANSWER_MS),
  });
  if (answer.ok) return answer.json();
  throw new Error(`the model at ${url} answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`);
}
