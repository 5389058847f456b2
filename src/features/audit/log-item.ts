/** What an audit reads: the log as it is, or a bundle of it. */
export type LogItem =
  | {
      readonly kind: 'message';
      readonly sequence: number;
      readonly bytes: Uint8Array;
      /** Hash of what was stored, where the bytes are a skeleton that stands for it. */
      readonly originalHash?: string | undefined;
      /** The message id, where it is known apart from the bytes. */
      readonly id?: string;
      readonly subject?: string;
    }
  /** An event that a bundle leaves out: only its hash is known. */
  | { readonly kind: 'omitted'; readonly sequence: number; readonly hash: string };

/** Something that is not as Signalbox left it. */
export interface Finding {
  /** Where; null for what is said of the whole. */
  readonly sequence: number | null;
  readonly kind: FindingKind;
  /** What is wrong there. */
  readonly message: string;
}

/** Stable, for programs. */
export const FINDING_KINDS = {
  gap: 'An event is missing, and no redaction says why.',
  order: 'An event is not in the place that its number gives it.',
  unreadable: 'What is stored is not an event.',
  content: 'The bytes do not have the hash that is given for them.',
  chain: 'An event was written after another one than the one that is there.',
  identity: 'The ids do not count on as their writer counted.',
  subject: 'An event is filed under another subject than its content says.',
  version: 'A transition does not go on from the one before it.',
  key: 'A signing key is not what it says, or no trusted key vouches for it.',
  checkpoint: 'A checkpoint does not fit the log, or its signature is not valid.',
  redaction: 'A redaction does not fit what stands for the content, or the content is still there.',
  truncated: 'The log ends before something that is known to have been in it.',
  other_log: 'The log is not the one that is known.',
  bundle: 'The file is not a whole bundle.',
} as const;
export type FindingKind = keyof typeof FINDING_KINDS;
