import type { PromptInput } from './prompt.ts';

/** Prompts that a project builds itself. */
export interface PromptBuilders {
  /**
   * null for the built-in prompt: at once where the project has no builder, later where that has failed, which is logged.
   * Never rejects.
   */
  build(input: PromptInput): Promise<string | null> | null;
}

export const BUILT_IN_PROMPTS: PromptBuilders = { build: () => null };
