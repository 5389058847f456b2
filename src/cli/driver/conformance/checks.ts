/** What every driver of programs has to hold, each with a program that does its worst. */

import { messageOf } from '../../../contracts/errors.ts';
import type { DriverSpec } from '../../../drivers/declared/spec.ts';
import type { Behaviour } from './fake-program.ts';
import { judged, Lab, type Subject, TOKEN, within } from './lab.ts';
import { failureOutput, type Sample, successOutput } from './sample.ts';

/** `null` says that it has no meaning for this driver. @throws Error with what does not hold */
export interface Check {
  readonly name: string;
  readonly run: (subject: Subject, good: string | Buffer) => Promise<string | null>;
}

export const SAMPLE: Sample = { text: 'the answer', session: 'session-0123456789', tokens: 7 };
const NASTY = `it's "quoted" \`id\` $(id) \${HOME} \\ %s\n\n\ttab {prompt} é 任务\n`;
const LARGE = `${NASTY}${'0123456789abcdef'.repeat(65_536)}`;
const NOISE_BYTES = 100_000_000;
const MEMORY_MAX = 200_000_000;

export const CHECKS: readonly Check[] = [
  {
    name: 'a result and the exit code of a success are a success',
    run: (subject, stdout) =>
      inLab(subject, { stdout, exitCode: 0 }, async (lab) => {
        const end = await lab.run();
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
    name: 'the exit code of a success without a result is a failure',
    run: (subject) => isFailure(subject, { stdout: '', exitCode: 0 }),
  },
  {
    name: 'a result that says that it failed is a failure, whatever the exit code',
    run: async (subject) => {
      const stdout = subject === 'command' ? null : failureOutput(subject.output, 'no quota', SAMPLE.session);
      return stdout === null ? null : isFailure(subject, { stdout, exitCode: 0 });
    },
  },
  {
    name: 'an output that breaks off is a failure',
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
    name: 'garbage, and bytes that are no UTF-8, are a failure',
    run: async (subject) => {
      const stdout = Buffer.concat([
        Buffer.from('{not json}\n[1,\n\0{"type":'),
        Buffer.from([0xff, 0xfe, 0x80, 0x0a]),
      ]);
      return isJson(subject) ? isFailure(subject, { stdout, exitCode: 0 }) : null;
    },
  },
  {
    name: 'a result behind 100 MB of other output is found, in bounded memory',
    run: (subject, stdout) =>
      inLab(
        subject,
        { stdout, exitCode: 0, before: `head -c ${NOISE_BYTES} /dev/zero | tr '\\0' x; echo` },
        async (lab) => {
          const before = process.memoryUsage().rss;
          const { outcome, error } = judged(await lab.run());
          hold(outcome === 'completed', `it is ${outcome}: ${error}`);
          const grown = Math.max(0, process.memoryUsage().rss - before);
          hold(grown < MEMORY_MAX, `memory grew by ${megabytes(grown)}`);
          return `memory grew by ${megabytes(grown)}`;
        },
      ),
  },
  {
    name: 'a prompt with quotes, backticks, newlines and $(…) arrives byte for byte',
    run: (subject, stdout) => arrives(subject, stdout, NASTY),
  },
  {
    name: 'a prompt of 1 MB arrives byte for byte, or is refused with what to do',
    run: (subject, stdout) => arrives(subject, stdout, LARGE),
  },
  {
    name: 'standard input is at its end, and no open pipe',
    run: (subject, stdout) =>
      inLab(subject, { stdout, exitCode: 0 }, async (lab) => {
        await lab.run();
        const call = lab.program.call(1);
        hold(call !== undefined, 'it was never read to its end');
        return `${call?.stdin.length ?? 0} bytes`;
      }),
  },
  {
    name: 'the token is in the environment, and in no argument',
    run: (subject, stdout) =>
      inLab(subject, { stdout, exitCode: 0 }, async (lab) => {
        await lab.run();
        const { args = [], env = {} } = lab.program.call(1) ?? {};
        hold(env.SIGNALBOX_TOKEN === TOKEN, 'SIGNALBOX_TOKEN is missing');
        hold(/^00-/.test(env.TRACEPARENT ?? ''), 'TRACEPARENT is missing');
        hold(!args.some((word) => word.includes(TOKEN)), 'an argument holds the token');
        return null;
      }).then(() => ''),
  },
  {
    name: 'what ignores SIGTERM is killed, and so is its child in a session of its own',
    run: (subject, stdout) =>
      inLab(
        subject,
        { stdout, exitCode: 0, before: `trap '' TERM; setsid sleep 300 & while :; do sleep 1; done` },
        async (lab) => {
          const run = await lab.start();
          await until(async () => ((await run.tree?.()) ?? []).length > 2);
          run.stop(200);
          const { evidence = {} } = await lab.endOf(run);
          hold(evidence.survivors === 0, `${evidence.survivors} survivors`);
          return `${evidence.processCount} processes`;
        },
      ),
  },
  {
    name: 'a result whose process stays is noticed',
    run: async (subject, stdout) => {
      if (!isJson(subject) || subject.output.result === undefined) return null;
      return inLab(subject, { stdout, exitCode: 0, after: 'sleep 300' }, async (lab) => {
        const run = await lab.start();
        await within(
          run.resulted ?? Promise.reject(new Error('it does not look')),
          10_000,
          'it is not noticed',
        );
        return '';
      });
    },
  },
  {
    name: 'what runs when Signalbox is restarted is adopted, with its result',
    run: (subject, stdout) =>
      inLab(subject, { stdout, exitCode: 0, before: 'sleep 1' }, async (lab) => {
        const run = await lab.start();
        run.detach();
        const adoption = await lab.driver().adopt(lab.order());
        hold(adoption.kind === 'running', `it is ${adoption.kind}`);
        const end = adoption.kind === 'running' ? await lab.endOf(adoption.run) : null;
        hold(end !== null && judged(end).outcome === 'completed', 'its result is lost');
        return '';
      }),
  },
  {
    name: 'a retry goes on with the session of the attempt before it',
    run: async (subject, stdout) => {
      if (subject === 'command' || subject.session === 'none') return null;
      return inLab(subject, { stdout, exitCode: 0 }, async (lab) => {
        const { session } = await lab.run();
        hold(typeof session === 'string', 'the first attempt leaves no session');
        await lab.run(lab.order('Again.', 2, { session: session ?? '', attempt: 1, usage: {} }));
        const { args = [] } = lab.program.call(2) ?? {};
        hold(
          args.some((word) => word.includes(session ?? '')),
          'its arguments do not name the session',
        );
        return '';
      });
    },
  },
];

function isJson(subject: Subject): subject is DriverSpec {
  return subject !== 'command' && subject.output.format !== 'text';
}

/** What a run that went well prints, made from the driver itself. */
export function goodOutput(subject: Subject): string {
  return subject === 'command' ? `${SAMPLE.text}\n` : successOutput(subject.output, SAMPLE);
}

async function inLab<T>(subject: Subject, behaviour: Behaviour, work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = new Lab(subject, behaviour);
  try {
    return await work(lab);
  } finally {
    await lab.close();
  }
}

async function isFailure(subject: Subject, behaviour: Behaviour): Promise<string> {
  return inLab(subject, behaviour, async (lab) => {
    const { outcome, error } = judged(await lab.run());
    hold(outcome === 'failed', `it is ${outcome}`);
    return error ?? '';
  });
}

async function arrives(subject: Subject, stdout: string | Buffer, prompt: string): Promise<string> {
  return inLab(subject, { stdout, exitCode: 0 }, async (lab) => {
    try {
      await lab.run(lab.order(prompt));
    } catch (error) {
      hold(/give the prompt by file/.test(messageOf(error)), messageOf(error));
      return 'refused: too large for an argument';
    }
    const call = lab.program.call(1);
    const file = call?.env.SIGNALBOX_PROMPT_FILE ?? '';
    if (call?.args.includes(prompt)) return 'as an argument';
    if (call?.stdin.equals(Buffer.from(prompt))) return 'on standard input';
    const isNamed =
      call?.args.some((word) => word.includes(file)) && call.promptFile.equals(Buffer.from(prompt));
    hold(isNamed === true, 'it does not arrive');
    return 'as a file';
  });
}

function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await condition())) {
    hold(performance.now() < end, 'its processes did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}
