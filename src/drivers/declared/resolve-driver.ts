/** Resolves a driver of the configuration, with its bases and defaults. */
import { SignalboxError } from '../../contracts/errors.ts';
import { BUNDLED_DRIVER_NAMES, BUNDLED_DRIVERS } from '../bundled/index.ts';
import type { Arguments, DriverConfig, DriverSpec } from './spec.ts';

export type DriverConfigs = Readonly<Record<string, DriverConfig>>;

/** The names of all drivers that are data: the bundled ones and those of the configuration. */
export function declaredDriverNames(drivers: DriverConfigs): string[] {
  return [...new Set([...BUNDLED_DRIVER_NAMES, ...Object.keys(drivers)])];
}

/**
 * A driver with its bases and defaults. One of the configuration with the name of a bundled driver is based on that.
 * @throws SignalboxError `config_invalid` with what is missing
 */
export function resolveDriver(drivers: DriverConfigs, name: string): DriverSpec {
  const merged = Object.assign({}, ...layersOf(drivers, name, []).toReversed()) as DriverConfig;
  const { program, output, args = [] } = merged;
  if (program === undefined)
    throw invalid(name, 'it has no program: say which one is started, or name a base');
  if (output === undefined) throw invalid(name, 'it has no output: say where its answer is, or name a base');
  const { base: _base, ...own } = merged;
  const spec: DriverSpec = {
    description: program,
    resume_args: args,
    options: {},
    prompt: 'stdin',
    session: 'none',
    conversation: 'none',
    transcript: 'text',
    answer_seconds: 120,
    ok_exit_codes: [0],
    exit_codes: {},
    env: {},
    pass_env: [],
    unset_env: [],
    passes_env: true,
    ...own,
    name,
    program,
    args,
    output,
  };
  checkPrompt(spec);
  return spec;
}

function layersOf(drivers: DriverConfigs, name: string, above: readonly string[]): DriverConfig[] {
  if (above.includes(name) && !isBundled(name))
    throw invalid(name, `its bases form a cycle: ${[...above, name].join(', ')}`);
  const own = above.includes(name) || !Object.hasOwn(drivers, name) ? undefined : drivers[name];
  if (own === undefined) {
    if (isBundled(name)) return [BUNDLED_DRIVERS[name]];
    throw invalid(name, `there is no such driver; there are ${declaredDriverNames(drivers).join(', ')}`);
  }
  const base = own.base ?? (isBundled(name) ? name : undefined);
  return base === undefined ? [own] : [own, ...layersOf(drivers, base, [...above, name])];
}

function isBundled(name: string): name is keyof typeof BUNDLED_DRIVERS {
  return Object.hasOwn(BUNDLED_DRIVERS, name);
}

/** Refuses a driver whose program would not get the prompt or the session. */
function checkPrompt(spec: DriverSpec): void {
  const needed = { argument: '{prompt}', file: '{prompt_file}', stdin: null } as const;
  const { large_prompt: large } = spec;
  const ways = [{ by: spec.prompt, lists: [spec.args, spec.resume_args] }];
  if (large) {
    const args = large.args ?? spec.args;
    ways.push({ by: large.by, lists: [args, large.resume_args ?? large.args ?? spec.resume_args] });
  }
  for (const { by, lists } of ways) {
    const placeholder = needed[by];
    if (placeholder === null || lists.every((args) => contains(args, placeholder))) continue;
    throw invalid(
      spec.name,
      `its arguments have no ${placeholder}, so the prompt would not reach it: add "${placeholder}"`,
    );
  }
  const isSpokenTo = [spec.args, spec.resume_args].every((args) => contains(args, '--input-format'));
  if (spec.conversation === 'claude' && !isSpokenTo)
    throw invalid(
      spec.name,
      'its conversation is "claude", but its args have no --input-format stream-json: add the arguments that "signalbox driver show claude" lists, or set conversation: none',
    );
  if (spec.session === 'caller' && !contains(spec.args, '{session_id}'))
    throw invalid(spec.name, 'its session is named by the caller, but its args have no {session_id}');
}

function contains(args: Arguments, text: string): boolean {
  return args.flat().some((each) => each.includes(text));
}

function invalid(name: string, message: string): SignalboxError {
  return new SignalboxError('config_invalid', `drivers.${name}: ${message}`);
}
