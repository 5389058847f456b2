/** For whom the tools speak: never an argument, since a model must not choose it. */
import type { SignalboxClient } from '../client.ts';

export interface McpIdentity {
  readonly project: string;
  /** The task that the agent works on; absent for a person's session. */
  readonly task: string | undefined;
  /** Who comments where there is no attempt that speaks. */
  readonly author: string | undefined;
  /** Where commands run that say nothing else; absent for a directory of their own. */
  readonly cwd: string | undefined;
}

export interface McpSession {
  readonly client: SignalboxClient;
  readonly identity: McpIdentity;
}
