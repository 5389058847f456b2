/** Text from bytes that must be UTF-8. */

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Without a byte order mark at the beginning; null if the bytes are not UTF-8. */
export function utf8Text(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
