/** The ids of tasks that Signalbox creates for another task: reviews, and answers to questions. */
const MAX_ID_LENGTH = 64;

/**
 * Always the same ids for the same purpose. The second one is used if another task has the first one.
 * @param suffix names the purpose. @param hash of the purpose, for ids that would be too long
 */
export function auxiliaryIds(task: string, suffix: string, hash: string): string[] {
  const plain = `${task}-${suffix}`;
  const other = `${task.slice(0, 40)}-${suffix.slice(0, 1)}${hash.slice(0, 20)}`;
  return plain.length <= MAX_ID_LENGTH ? [plain, other] : [other];
}
