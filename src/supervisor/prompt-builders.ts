import type { PromptInput } from './prompt.ts';

/** Prompts that a project builds itself. */
export interface PromptBuilders {
  /** null for the built-in prompt: the project has no builder, or it failed, which is logged. Never rejects. */
  build(input: PromptInput): Promise<string | null>;
}

export const BUILT_IN_PROMPTS: PromptBuilders = { build: async () => null };
