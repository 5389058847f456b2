/** Checks for drivers that speak the Agent Client Protocol, with an agent that misbehaves. */
import { IDS } from '../../../drivers/conversation/acp/agent-state.ts';
import { PROTOCOL_VERSION, request, result } from '../../../drivers/conversation/acp/messages.ts';
import { acpPermission, acpReplies, acpSuccess } from './acp-sample.ts';
import type { Check } from './check.ts';
import type { Behaviour } from './fake-program.ts';
import { type Harness, hold, isAcp, judged, megabytes, until, withHarness } from './harness.ts';
import { SAMPLE } from './sample.ts';

const UPDATE_BYTES = 50_000_000;
const MAX_MEMORY_BYTES = 200_000_000;
const PRINT = (text: string): string => `printf '%s' '${text.replaceAll("'", "'\\''")}'`;
const GOOD = { stdout: acpSuccess(SAMPLE), exitCode: 0 };

function acpCheck(name: string, behaviour: Behaviour, work: (harness: Harness) => Promise<string>): Check {
  return { name, run: async (subject) => (isAcp(subject) ? withHarness(subject, behaviour, work) : null) };
}

async function fails(harness: Harness, reason: RegExp): Promise<string> {
  const { outcome, error = '' } = judged(await harness.run());
  hold(outcome === 'failed' && reason.test(error), `it is ${outcome}: ${error}`);
  return error;
}

async function completes(harness: Harness): Promise<string> {
  const end = await harness.run();
  const { outcome, error } = judged(end);
  hold(outcome === 'completed', `it is ${outcome}: ${error}`);
  const [output] = end.outputs;
  hold(output?.content === SAMPLE.text, `its answer is ${JSON.stringify(output?.content)}`);
  return '';
}

export const ACP_CHECKS: readonly Check[] = [
  acpCheck('no answer to "initialize" is a failure that says so', { ...GOOD, replies: [''] }, (harness) =>
    fails(harness, /did not answer "initialize"/),
  ),
  acpCheck(
    'another version of the protocol is a failure that says so',
    {
      ...GOOD,
      replies: [`${JSON.stringify(result(IDS.initialize, { protocolVersion: PROTOCOL_VERSION + 1 }))}\n`],
    },
    (harness) => fails(harness, /speaks version/),
  ),
  acpCheck(
    'an update of 50 MB is left out, in bounded memory',
    {
      ...GOOD,
      before: [
        PRINT('{"jsonrpc":"2.0","method":"session/update","params":{"x":"'),
        `head -c ${UPDATE_BYTES} /dev/zero | tr '\\0' x`,
        `echo '"}}'`,
      ].join('\n'),
    },
    async (harness) => {
      const before = process.memoryUsage().rss;
      await completes(harness);
      const grown = Math.max(0, process.memoryUsage().rss - before);
      hold(grown < MAX_MEMORY_BYTES, `memory grew by ${megabytes(grown)}`);
      return `memory grew by ${megabytes(grown)}`;
    },
  ),
  acpCheck(
    'a request for a file is refused, and none was offered',
    {
      ...GOOD,
      before: `${PRINT(`${JSON.stringify(request('f', 'fs/read_text_file', {}))}\n`)}\nhead -n 1 >>"$call/stdin"`,
    },
    async (harness) => {
      await completes(harness);
      const heard = harness.program.call(1)?.stdin.toString() ?? '';
      hold(heard.includes('-32601'), 'it got no refusal');
      hold(!/"(?:fs|terminal)"/.test(heard), 'files or terminals are offered');
      return '';
    },
  ),
  acpCheck(
    'a permission is asked for, and a stop cancels it and the turn',
    { ...GOOD, before: `${PRINT(acpPermission(SAMPLE.session, 0))}\ncat >>"$call/stdin"` },
    async (harness) => {
      const run = await harness.start();
      await until(async () => harness.questions.length === 1, 'it is not asked');
      run.stop(2_000);
      const { evidence = {} } = await harness.endOf(run);
      const heard = harness.program.call(1)?.stdin.toString() ?? '';
      hold(heard.includes('"session/cancel"'), 'the turn was not cancelled');
      hold(heard.includes('{"outcome":{"outcome":"cancelled"}}'), 'the request was not answered');
      hold(evidence.survivors === 0 || evidence.survivors === 'unknown', `${evidence.survivors} survivors`);
      return '';
    },
  ),
  acpCheck(
    'what it says and asks after its end does not count',
    {
      ...GOOD,
      after: `${PRINT(acpSuccess({ ...SAMPLE, text: 'too late' }) + acpPermission(SAMPLE.session, 0))}\nsleep 300`,
    },
    async (harness) => {
      await completes(harness);
      hold(harness.questions.length === 0, 'it was asked');
      return '';
    },
  ),
  acpCheck(
    'an agent that replaces its standard input is ended with its result',
    { ...GOOD, before: 'cd "$(dirname "$SIGNALBOX_PROMPT_FILE")/process" && rm in && mkdir in' },
    completes,
  ),
  acpCheck(
    'an exit in the middle of a turn is a failure',
    { stdout: acpPermission(SAMPLE.session, 0), exitCode: 0, replies: acpReplies(SAMPLE.session) },
    (harness) => fails(harness, /no readable result/),
  ),
];
