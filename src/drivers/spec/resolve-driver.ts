/** From a driver as it is written, with a base, to one with nothing left open. */

import { SignalboxError } from '../../contracts/errors.ts';
import { BUILT_IN_DRIVERS, READY_DRIVERS } from '../ready/index.ts';
import type { Arguments, DriverConfig, DriverSpec } from './driver-spec.ts';

export type DriverConfigs = Readonly<Record<string, DriverConfig>>;

/** The names of all drivers that are data: those that come along and those of the configuration. */
export function declaredDriverNames(drivers: DriverConfigs): string[] {
  return [...new Set([...Object.keys(READY_DRIVERS), ...Object.keys(drivers)])];
}

/**
 * A driver with its bases under it. One of the configuration that has the name of a ready one is made from that.
 * @throws SignalboxError `config_invalid` with what is missing
 */
export function resolveDriver(drivers: DriverConfigs, name: string): DriverSpec {
  const merged = Object.assign({}, ...layersOf(drivers, name, []).toReversed()) as DriverConfig;
  const { program, output, args = [] } = merged;
  if (program === undefined)
    throw invalid(name, 'it has no program: say which one is started, or name a base');
  if (output === undefined)
    throw invalid(name, 'it has no output: say where its answer stands, or name a base');
  const spec: DriverSpec = {
    name,
    description: merged.description ?? program,
    version: merged.version,
    program,
    args,
    resume_args: merged.resume_args ?? args,
    options: merged.options ?? {},
    prompt: merged.prompt ?? 'stdin',
    large_prompt: merged.large_prompt,
    session: merged.session ?? 'none',
    output,
    ok_exit_codes: merged.ok_exit_codes ?? [0],
    exit_codes: merged.exit_codes ?? {},
    settle: merged.settle,
    env: merged.env ?? {},
    pass_env: merged.pass_env ?? [],
    unset_env: merged.unset_env ?? [],
    passes_env: merged.passes_env ?? true,
    linger_seconds: merged.linger_seconds,
  };
  checkPrompt(spec);
  return spec;
}

function layersOf(drivers: DriverConfigs, name: string, above: readonly string[]): DriverConfig[] {
  if (above.includes(name) && !isReady(name))
    throw invalid(name, `its bases go in a circle: ${[...above, name].join(', ')}`);
  const own = above.includes(name) || !Object.hasOwn(drivers, name) ? undefined : drivers[name];
  if (own === undefined) {
    if (isReady(name)) return [READY_DRIVERS[name]];
    throw invalid(name, `there is no such driver; there are ${declaredDriverNames(drivers).join(', ')}`);
  }
  const base = own.base ?? (isReady(name) ? name : undefined);
  return base === undefined ? [own] : [own, ...layersOf(drivers, base, [...above, name])];
}

function isReady(name: string): name is keyof typeof READY_DRIVERS {
  return Object.hasOwn(READY_DRIVERS, name);
}

/** A prompt that would not reach the program is no small matter. */
function checkPrompt(spec: DriverSpec): void {
  const needed = { argument: '{prompt}', file: '{prompt_file}', stdin: null } as const;
  const ways = [
    { by: spec.prompt, lists: [spec.args, spec.resume_args] },
    ...(spec.large_prompt
      ? [
          {
            by: spec.large_prompt.by,
            lists: [
              spec.large_prompt.args ?? spec.args,
              spec.large_prompt.resume_args ?? spec.large_prompt.args ?? spec.resume_args,
            ],
          },
        ]
      : []),
  ];
  for (const { by, lists } of ways) {
    const word = needed[by];
    if (word === null || lists.every((args) => holdsWord(args, word))) continue;
    throw invalid(
      spec.name,
      `its arguments have no ${word}, so the prompt would not reach it: add "${word}"`,
    );
  }
  if (spec.session === 'caller' && !holdsWord(spec.args, '{session_id}'))
    throw invalid(spec.name, 'its session is named by the caller, but its args have no {session_id}');
}

function holdsWord(args: Arguments, word: string): boolean {
  return args.flat().some((each) => each.includes(word));
}

function invalid(name: string, message: string): SignalboxError {
  const reserved = (BUILT_IN_DRIVERS as readonly string[]).includes(name) ? ' (this name is taken)' : '';
  return new SignalboxError('config_invalid', `drivers.${name}${reserved}: ${message}`);
}
