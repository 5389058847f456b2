/**
 * Prompts that projects build themselves: from a template, by a module, or by a program. If that fails, the built-in
 * prompt is used and the log says why: work is never held back.
 */
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import type { Logger } from 'pino';
import type { Variables } from '../base/environment.ts';
import { readText } from '../base/files.ts';
import { openRegular } from '../base/regular-files.ts';
import { withLimit } from '../base/time.ts';
import type { ProjectConfig } from '../config/schema/config.ts';
import { messageOf } from '../contracts/errors.ts';
import { DEFAULT_PASS_ENV, pickEnvironment } from '../drivers/definition.ts';
import type { PromptInput } from '../engine/supervisor/prompts/prompt.ts';
import {
  type PromptBuilders,
  type PromptFacts,
  promptFacts,
  templateValues,
} from '../engine/supervisor/prompts/prompt-facts.ts';

export type PromptBuilder = (facts: PromptFacts) => string | Promise<string>;

const MAX_PROMPT_BYTES = 4 * 1_024 * 1_024;

export interface ProjectPromptsOptions {
  readonly projects: Readonly<Record<string, ProjectConfig>>;
  readonly logger: Logger;
  /** Signalbox's own environment, of which a program gets what agents get by default. */
  readonly env: Variables;
}

export class ProjectPrompts implements PromptBuilders {
  readonly #options: ProjectPromptsOptions;

  constructor(options: ProjectPromptsOptions) {
    this.#options = options;
  }

  build(input: PromptInput): Promise<string | null> | null {
    const { projects } = this.#options;
    const { project } = input.task;
    const config = Object.hasOwn(projects, project) ? projects[project] : undefined;
    if (config?.prompt_template === undefined && config?.prompt_builder === undefined) return null;
    return this.#buildOrLog(config, input);
  }

  async #buildOrLog(config: ProjectConfig, input: PromptInput): Promise<string | null> {
    const { project, id: task } = input.task;
    try {
      const prompt = await this.#build(config, input);
      if (typeof prompt !== 'string' || prompt.trim() === '') throw new Error('it returned no text');
      if (Buffer.byteLength(prompt) > MAX_PROMPT_BYTES)
        throw new Error(`it returned more than ${MAX_PROMPT_BYTES} bytes`);
      return prompt;
    } catch (error) {
      const { attempt, agent } = input;
      const why = withoutSecret(messageOf(error), input.token);
      this.#options.logger.warn(
        { project, task, attempt, agent, why },
        'could not build the prompt of the project; using the built-in one',
      );
      return null;
    }
  }

  #build(config: ProjectConfig, input: PromptInput): Promise<unknown> {
    const { prompt_template: template, prompt_builder: builder } = config;
    const limitMs = config.prompt_timeout_seconds * 1_000;
    if (template !== undefined) return fromTemplate(template, input);
    const facts = promptFacts(input);
    if (typeof builder !== 'string') return this.#fromProgram(builder ?? [], facts, limitMs);
    return withLimit(fromModule(builder, facts), limitMs, () => {
      throw new Error(`it took longer than ${limitMs / 1_000} s`);
    });
  }

  async #fromProgram(
    [program = '', ...args]: readonly string[],
    facts: PromptFacts,
    limitMs: number,
  ): Promise<string> {
    const { stdout } = await execa(program, args, {
      input: JSON.stringify(facts),
      env: pickEnvironment(DEFAULT_PASS_ENV, this.#options.env),
      extendEnv: false,
      timeout: limitMs,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_PROMPT_BYTES,
      stripFinalNewline: false,
    });
    return stdout;
  }
}

async function fromTemplate(file: string, input: PromptInput): Promise<string> {
  const text = await readText(file);
  const values = templateValues(input);
  return text.replaceAll(/\{\{\s*([a-z_]+)\s*\}\}/g, (_all, name: string) => {
    const value = values[name];
    if (value !== undefined) return value;
    throw new Error(`{{${name}}} is no placeholder; there are ${Object.keys(values).join(', ')}`);
  });
}

async function fromModule(file: string, facts: PromptFacts): Promise<unknown> {
  // The import of something else, such as a FIFO, would block a thread for ever.
  await (await openRegular(file, { followLinks: true }))?.close();
  const module: { default?: unknown } = await import(pathToFileURL(file).href);
  const build = module.default;
  if (typeof build !== 'function') throw new Error(`${file} has no function as its default export`);
  return (build as PromptBuilder)(facts);
}

/** Error messages of programs may repeat their input. */
function withoutSecret(text: string, token: string): string {
  return token === '' ? text : text.replaceAll(token, '<token>');
}
