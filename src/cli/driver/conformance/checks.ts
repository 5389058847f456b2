/** Checks for every driver of a program, each with a fake program that misbehaves. */

import { messageOf } from '../../../contracts/errors.ts';
import type { DriverSpec } from '../../../drivers/declared/spec.ts';
import { ACP_CHECKS } from './acp-checks.ts';
import { acpFailure, acpSuccess } from './acp-sample.ts';
import type { Check } from './check.ts';
import type { Behaviour } from './fake-program.ts';
import {
  hold,
  isAcp,
  judged,
  megabytes,
  type Subject,
  TOKEN,
  until,
  withHarness,
  within,
} from './harness.ts';
import { failureOutput, SAMPLE, successOutput } from './sample.ts';

const NASTY = `it's "quoted" \`id\` $(id) \${HOME} \\ %s\n\n\ttab {prompt} é 任务\n`;
const LARGE = `${NASTY}${'0123456789abcdef'.repeat(65_536)}`;
const NOISE_BYTES = 100_000_000;
const MAX_MEMORY_BYTES = 200_000_000;

const COMMON_CHECKS: readonly Check[] = [
  {
    name: 'a result and exit code 0 are a success',
    run: (subject, stdout) =>
      withHarness(subject, { stdout, exitCode: 0 }, async (harness) => {
        const end = await harness.run();
        const { outcome, error } = judged(end);
        hold(outcome === 'completed', `it is ${outcome}: ${error}`);
        return end.usage?.input_tokens === undefined ? 'no usage' : `${end.usage.input_tokens} input tokens`;
      }),
  },
  {
    name: 'a result with another exit code is a failure',
    run: (subject, stdout) => isFailure(subject, { stdout, exitCode: 113 }),
  },
  {
    name: 'exit code 0 without a result is a failure',
    run: (subject) => isFailure(subject, { stdout: '', exitCode: 0 }),
  },
  {
    name: 'a result that reports a failure is a failure with any exit code',
    run: async (subject) => {
      const stdout = badOutput(subject);
      return stdout === null ? null : isFailure(subject, { stdout, exitCode: 0 });
    },
  },
  {
    name: 'a truncated output is a failure',
    run: async (subject, good) => {
      if (!isJson(subject)) return null;
      const bytes = Buffer.from(good).toString().trimEnd();
      return isFailure(subject, {
        stdout: bytes.slice(0, -Math.ceil((bytes.split('\n').at(-1)?.length ?? 2) / 2)),
        exitCode: 0,
      });
    },
  },
  {
    name: 'garbage and invalid UTF-8 are a failure',
    run: async (subject) => {
      const stdout = Buffer.concat([
        Buffer.from('{not json}\n[1,\n\0{"type":'),
        Buffer.from([0xff, 0xfe, 0x80, 0x0a]),
      ]);
      return isJson(subject) ? isFailure(subject, { stdout, exitCode: 0 }) : null;
    },
  },
  {
    name: 'a result after 100 MB of other output is found, in bounded memory',
    run: (subject, stdout) =>
      withHarness(
        subject,
        { stdout, exitCode: 0, before: `head -c ${NOISE_BYTES} /dev/zero | tr '\\0' x; echo` },
        async (harness) => {
          const before = process.memoryUsage().rss;
          const { outcome, error } = judged(await harness.run());
          hold(outcome === 'completed', `it is ${outcome}: ${error}`);
          const grown = Math.max(0, process.memoryUsage().rss - before);
          hold(grown < MAX_MEMORY_BYTES, `memory grew by ${megabytes(grown)}`);
          return `memory grew by ${megabytes(grown)}`;
        },
      ),
  },
  {
    name: 'a prompt with quotes, backticks, newlines and $(…) arrives byte for byte',
    run: (subject, stdout) => arrives(subject, stdout, NASTY),
  },
  {
    name: 'a prompt of 1 MB arrives byte for byte, or is rejected with advice',
    run: (subject, stdout) => arrives(subject, stdout, LARGE),
  },
  {
    name: 'standard input is closed',
    run: async (subject, stdout) => {
      if (isSpokenTo(subject)) return null;
      return withHarness(subject, { stdout, exitCode: 0 }, async (harness) => {
        await harness.run();
        const call = harness.program.call(1);
        hold(call !== undefined, 'it was not read to its end');
        return `${call?.stdin.length ?? 0} bytes`;
      });
    },
  },
  {
    name: 'the token is in the environment, and not in an argument',
    run: (subject, stdout) =>
      withHarness(subject, { stdout, exitCode: 0 }, async (harness) => {
        await harness.run();
        const { args = [], env = {} } = harness.program.call(1) ?? {};
        hold(env.SIGNALBOX_TOKEN === TOKEN, 'SIGNALBOX_TOKEN is missing');
        hold(/^00-/.test(env.TRACEPARENT ?? ''), 'TRACEPARENT is missing');
        hold(!args.some((word) => word.includes(TOKEN)), 'an argument holds the token');
        return null;
      }).then(() => ''),
  },
  {
    name: 'a program that ignores SIGTERM is killed, and so is its child in another session',
    run: (subject, stdout) =>
      withHarness(
        subject,
        { stdout, exitCode: 0, before: `trap '' TERM; setsid sleep 300 & while :; do sleep 1; done` },
        async (harness) => {
          const run = await harness.start();
          await until(async () => ((await run.tree?.()) ?? []).length > 2, 'its processes did not start');
          run.stop(200);
          const { evidence = {} } = await harness.endOf(run);
          const { survivors } = evidence;
          hold(survivors === 0 || survivors === 'unknown', `${survivors} survivors`);
          return `${evidence.processCount} processes`;
        },
      ),
  },
  {
    name: 'a result is noticed although the process keeps running',
    run: async (subject, stdout) => {
      if (!isJson(subject) || !tellsResult(subject)) return null;
      return withHarness(subject, { stdout, exitCode: 0, after: 'sleep 300' }, async (harness) => {
        const run = await harness.start();
        await within(
          run.resulted ?? Promise.reject(new Error('the driver does not read results')),
          10_000,
          'the result is not noticed',
        );
        return '';
      });
    },
  },
  {
    name: 'a running program is adopted after a restart of Signalbox, with its result',
    run: (subject, stdout) =>
      withHarness(subject, { stdout, exitCode: 0, before: 'sleep 1' }, async (harness) => {
        const run = await harness.start();
        run.detach();
        const adoption = await harness.driver().adopt(harness.order());
        hold(adoption.kind === 'running', `it is ${adoption.kind}`);
        const end = adoption.kind === 'running' ? await harness.endOf(adoption.run) : null;
        hold(end !== null && judged(end).outcome === 'completed', 'the result is lost');
        return '';
      }),
  },
  {
    name: 'a retry continues the session of the previous attempt',
    run: async (subject, stdout) => {
      if (subject === 'command' || subject.session === 'none') return null;
      return withHarness(subject, { stdout, exitCode: 0 }, async (harness) => {
        const { session } = await harness.run();
        hold(typeof session === 'string', 'the first attempt reports no session');
        await harness.run(harness.order('Again.', 2, { session: session ?? '', attempt: 1, usage: {} }));
        const { args = [], stdin } = harness.program.call(2) ?? {};
        hold(
          isAcp(subject)
            ? stdin?.includes(`"sessionId":"${session}"`) === true
            : args.some((word) => word.includes(session ?? '')),
          'the arguments do not contain the session',
        );
        return '';
      });
    },
  },
];

export const CHECKS: readonly Check[] = [...COMMON_CHECKS, ...ACP_CHECKS];

function isJson(subject: Subject): subject is DriverSpec {
  return subject !== 'command' && subject.output.format !== 'text';
}

function isSpokenTo(subject: Subject): boolean {
  return subject !== 'command' && subject.conversation !== 'none';
}

/** The output of a successful run, generated from the declaration of the driver. */
export function goodOutput(subject: Subject): string {
  if (isAcp(subject)) return acpSuccess(SAMPLE);
  return subject === 'command' ? `${SAMPLE.text}\n` : successOutput(subject.output, SAMPLE);
}

function badOutput(subject: Subject): string | null {
  if (isAcp(subject)) return acpFailure('no quota');
  return subject === 'command' ? null : failureOutput(subject.output, 'no quota', SAMPLE.session);
}

function tellsResult({ output, conversation }: DriverSpec): boolean {
  return output.result !== undefined || conversation === 'acp';
}

async function isFailure(subject: Subject, behaviour: Behaviour): Promise<string> {
  return withHarness(subject, behaviour, async (harness) => {
    const { outcome, error } = judged(await harness.run());
    hold(outcome === 'failed', `it is ${outcome}`);
    return error ?? '';
  });
}

async function arrives(subject: Subject, stdout: string | Buffer, prompt: string): Promise<string> {
  return withHarness(subject, { stdout, exitCode: 0 }, async (harness) => {
    try {
      await harness.run(harness.order(prompt));
    } catch (error) {
      hold(/give the prompt by file/.test(messageOf(error)), messageOf(error));
      return 'rejected: too large for an argument';
    }
    const call = harness.program.call(1);
    const file = call?.env.SIGNALBOX_PROMPT_FILE ?? '';
    if (call?.args.includes(prompt)) return 'as an argument';
    if (call?.stdin.equals(Buffer.from(prompt))) return 'on standard input';
    if (isSpokenTo(subject) && call?.stdin.includes(JSON.stringify(prompt))) return 'as its first message';
    const isNamed =
      call?.args.some((word) => word.includes(file)) && call.promptFile.equals(Buffer.from(prompt));
    hold(isNamed === true, 'the prompt does not arrive');
    return 'as a file';
  });
}
