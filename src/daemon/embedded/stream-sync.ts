/**
 * Syncs a stream of the embedded server to the disk. The server appends to the newest of the stream's block files and
 * changes the others only to delete messages.
 */
import { type FileHandle, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openRegular, syncDirectory } from '../../base/regular-files.ts';
import { LOG_ACCOUNT } from '../../contracts/messages/subjects.ts';

const BLOCK = /^(\d+)\.blk$/;

export class StreamSync {
  readonly #directory: string;
  /** The number of the newest block that was synced, and its open file. */
  #newest = 0;
  #file: FileHandle | null = null;

  /** @param storeDir of the server. @param stream a stream of Signalbox's own account */
  constructor(storeDir: string, stream: string) {
    this.#directory = join(storeDir, 'jetstream', LOG_ACCOUNT, 'streams', stream, 'msgs');
  }

  /** Returns when all that the server had written before the call is on the disk. @throws the error of the file system */
  async sync(): Promise<void> {
    const names = await readdir(this.#directory);
    const numbers = names.flatMap((name) => Number(BLOCK.exec(name)?.[1] ?? 0) || []).sort((a, b) => a - b);
    await this.#file?.datasync();
    for (const number of numbers) {
      if (number > this.#newest) await this.#syncNew(number);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  async #syncNew(number: number): Promise<void> {
    const file = await openRegular(join(this.#directory, `${number}.blk`));
    if (file === null) throw new Error(`block ${number} of the event log is missing`);
    await this.#file?.close();
    this.#file = file;
    this.#newest = number;
    await file.datasync();
    // Its name must survive a power cut, too.
    await syncDirectory(this.#directory);
  }
}
