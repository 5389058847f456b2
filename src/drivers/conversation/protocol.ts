/**
 * What a program and Signalbox say to each other over standard input and output: one JSON object on a line.
 *
 * A protocol keeps no state of its own on the disk. After a restart its speaker hears everything again that the program
 * has printed, and comes to the same state; messages have keys, so that none is sent twice.
 */
import type { Sending } from '../../process/runner.ts';
import type { RunAnswer, RunMessage, RunRequest } from '../driver.ts';

export interface Protocol {
  /** What the program gets first. It is sent exactly once, by the launcher. */
  opening(request: RunRequest): readonly object[];
  speaker(link: Link): Speaker;
}

/** What a speaker can do. */
export interface Link {
  readonly request: RunRequest;
  /** @param key names the message (runner.ts): the same key is sent once, also after a restart */
  send(key: string, message: object): Promise<Sending>;
  /** The program itself says that it has this message. */
  note(key: string): void;
  wasSent(key: string): Promise<boolean>;
  /** The program has given its result. */
  resulted(): void;
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
  /** The process has ended, or is left to another Signalbox. */
  close(): void;
}
