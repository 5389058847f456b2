/**
 * What a program and Signalbox say to each other over standard input and output: one JSON object on a line.
 *
 * A protocol keeps no state of its own on the disk. After a restart its speaker hears everything again that the program
 * has printed, and comes to the same state; messages have keys, so that none is sent twice.
 */
import type { Sending } from '../../process/runner.ts';
import type { OutputReading } from '../declared/reading.ts';
import type { RunAnswer, RunMessage, RunRequest } from '../driver.ts';

/** What the driver and the agent's configuration say about a conversation. */
export interface ProtocolSettings {
  /** Values of the driver's options; null or absent for one without. */
  readonly options: Readonly<Record<string, string | null>>;
  /** Milliseconds that the program may take for an answer that needs no model. */
  readonly answerMs: number;
  /** Whether the driver itself tells the program of Signalbox's MCP server: then the conversation does not. */
  readonly hasMcpServer: boolean;
}

export interface Protocol {
  /** What the program gets first. It is sent exactly once, by the launcher. */
  opening(request: RunRequest): readonly object[];
  speaker(link: Link): Speaker;
  /** How a run ended, from everything that it has printed. Absent if the places in the driver's `output` tell. */
  read?(pieces: AsyncIterable<Buffer>, request: RunRequest): Promise<OutputReading>;
}

/** The surroundings of a conversation. */
export interface Setting {
  readonly request: RunRequest;
  readonly workDirectory: string;
  /** How the program can start Signalbox's MCP server; null while agents cannot reach Signalbox. */
  readonly mcpServer: McpServer | null;
}

export interface McpServer {
  readonly command: string;
  readonly args: readonly string[];
  /** What it needs of the environment of the attempt: a program may pass on none of its own. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a speaker can do. */
export interface Link extends Setting {
  /** @param key names the message (runner.ts): the same key is sent once, also after a restart */
  send(key: string, message: object): Promise<Sending>;
  /** The program itself says that it has this message. */
  note(key: string): void;
  wasSent(key: string): Promise<boolean>;
  /** The keys of all messages that were sent, in their order. */
  sentKeys(): Promise<readonly string[]>;
  /** The program has given its result. */
  resulted(): void;
  /** Nothing more will be said, and the program does not end by itself: it is to be ended. */
  over(): void;
  /** It cannot go on: the program is ended, and its run has failed for this reason. */
  failed(reason: string): void;
}

/** Signalbox's side of one conversation. Nothing that the program prints may make it throw or grow without a limit. */
export interface Speaker {
  /** A JSON object that the program has printed; it is not to be believed. */
  receive(event: object): void;
  /** Everything that the program has printed was received: what is open now is really open. Called often. */
  caughtUp(): void;
  /** An answer is in the log; it may come again, and it may be to a question that this program has not asked. */
  answer(answer: RunAnswer): void;
  /** Resolves to whether the agent has got the message. */
  steer(message: RunMessage): Promise<boolean>;
  /** The run is about to be stopped: asks the program to leave off. Resolves once it has, or if it never will. */
  cancel?(): Promise<void>;
  /** The process has ended, or is left to another Signalbox. */
  close(): void;
}
