/** Bytes as lines, exactly: a carriage return is content like any other byte. */

const LINE_FEED = 0x0a;

export interface Line {
  /** Without the line feed. */
  readonly bytes: Buffer;
  /** Whether a line feed ends it. */
  readonly isComplete: boolean;
}

export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Line> {
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = rest.indexOf(LINE_FEED); at >= 0; at = rest.indexOf(LINE_FEED)) {
      yield { bytes: Buffer.concat([...parts, rest.subarray(0, at)]), isComplete: true };
      parts = [];
      rest = rest.subarray(at + 1);
    }
    if (rest.length > 0) parts.push(rest);
  }
  if (parts.length > 0) yield { bytes: Buffer.concat(parts), isComplete: false };
}
