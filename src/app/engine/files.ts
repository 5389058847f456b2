/** What an engine keeps beside its log. */
import { join } from 'node:path';
import { largeContentIn } from '../attempts/store-text.ts';
import { outputAtEnd } from '../attempts/transcript-proof.ts';
import type { Settings } from '../context.ts';
import type { EngineOptions } from './engine-options.ts';

export function directoriesOf({ dataDirectory: data }: EngineOptions): Settings['directories'] {
  return { data, content: join(data, 'content'), attempts: join(data, 'attempts') };
}

/** What the supervisor writes and reads there. */
export function filesOf(options: EngineOptions) {
  const { content, attempts } = directoriesOf(options);
  return {
    largeContent: largeContentIn(content, options.limits.maxEventBytes),
    outputAtEnd: outputAtEnd(attempts, options.logger),
  };
}
