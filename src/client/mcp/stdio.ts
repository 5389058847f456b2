/** MCP over standard input and output, until standard input ends. Standard output carries MCP only. */
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { SignalboxClient } from '../client.ts';
import { ExactLines } from './exact-lines.ts';
import { createMcpServer } from './server.ts';

export interface McpStdioOptions {
  readonly client: SignalboxClient;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly project: string;
  /** The author of comments; absent with a token, whose name Signalbox knows. */
  readonly author: string | undefined;
  readonly cwd: string;
  readonly onError: (error: Error) => void;
}

/** Serves until standard input ends. */
export async function mcpOverStdio({
  client,
  env,
  project,
  author,
  cwd,
  onError,
}: McpStdioOptions): Promise<void> {
  // An attempt has its token, and needs no name.
  const isAttempt = Boolean((env.SIGNALBOX_TOKEN || env.SIGNALBOX_TOKEN_FILE) && env.SIGNALBOX_TASK_ID);
  const identity = {
    project,
    task: env.SIGNALBOX_TASK_ID || undefined,
    author: isAttempt ? undefined : author,
    cwd,
  };
  const gone = new AbortController();
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve).once('close', resolve);
  }).then(() => gone.abort());
  const served = serveStdio(() => createMcpServer({ client, identity, gone: gone.signal }), {
    transport: new StdioServerTransport(process.stdin.pipe(new ExactLines(process.stdout))),
    onerror: onError,
  });
  await ended;
  await served.close();
}
