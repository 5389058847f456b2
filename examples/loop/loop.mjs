#!/usr/bin/env node
/**
 * An agent loop: a model with tools, whose long commands run in the background by Signalbox. Before each call of the
 * model it is told what has finished meanwhile.
 *
 *     node examples/loop/loop.mjs 'Run `npm test` and tell me what fails'
 *
 * Signalbox needs "background: {}" in its configuration. Variables: SIGNALBOX_URL, SIGNALBOX_TOKEN (of an admin, where
 * there are tokens), MODEL_API (openai or anthropic), MODEL_URL, MODEL, MODEL_KEY, CURSOR (loop: a name for this session;
 * under the same name it goes on, and gets what has finished while it was away).
 */
import { fileURLToPath } from 'node:url';
import { background, TOOLS } from './background.mjs';
import { modelOf } from './models.mjs';

const MAX_TURNS = 50;
const SYSTEM =
  'You work with shell commands. background_run starts one and answers at once; its result comes by itself, in <background-results>. ' +
  'Go on with something else meanwhile, or answer without a tool to wait for it.';

/**
 * @param {string} request what the person wants
 * @param {{ model: import('./models.mjs').Model, commands: ReturnType<typeof background>, say?: (text: string) => void }} parts
 * @returns {Promise<string>} the last answer
 */
export async function loop(request, { model, commands, say = () => {} }) {
  /** @type {import('./models.mjs').Message[]} */
  const conversation = [{ role: 'user', text: request }];
  for (let turn = 1; turn <= MAX_TURNS; turn++) {
    const news = await commands.drain();
    if (news !== '') conversation.push({ role: 'user', text: news });
    const { text, calls } = await model({ system: SYSTEM, tools: TOOLS, conversation });
    conversation.push({ role: 'assistant', text, calls });
    for (const { name, input } of calls) say(`${name} ${JSON.stringify(input)}`);
    if (calls.length > 0) {
      const results = await Promise.all(calls.map((call) => commands.call(call)));
      conversation.push({ role: 'tool', results });
    } else if (commands.isWaiting()) {
      say('waiting for a command');
      await commands.next();
    } else {
      return text;
    }
  }
  throw new Error(`the model has not come to an end in ${MAX_TURNS} turns`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { env, argv } = process;
  const request = argv.slice(2).join(' ');
  if (request === '') {
    console.error("usage: node examples/loop/loop.mjs 'what the model is to do'");
    process.exit(2);
  }
  const say = (/** @type {string} */ text) => console.error(text);
  try {
    console.log(await loop(request, { model: modelOf(env), commands: background(env), say }));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
