/**
 * Versions of events, and how an old one becomes one of today.
 *
 * UP1 Bytes in the log are never rewritten: an old event is lifted to today's form each time that it is read, one
 *     version after the other, before today's schema is asked.
 * UP2 A version that is newer than this program knows is refused with its name. It is never guessed what it may mean.
 * UP3 An upcaster is a function of the old event alone, so that every replay of a log sees the same event.
 */
import { SignalboxError } from '../errors.ts';
import { EVENT_TYPES } from './events.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Makes the event of the next version out of one of this version: both as they stand in `data.event`. */
export type Upcaster = (event: Fields) => Fields;

/** For each type all upcasters that it ever needed: the first lifts version 1 to 2, the next 2 to 3, and so on. */
export type Upcasters = Readonly<Record<string, readonly Upcaster[]>>;

/** Every type is at its first version yet. */
export const UPCASTERS: Upcasters = {};

const PREFIX = 'dev.signalbox.';
const VERSIONED_TYPE = /^dev\.signalbox\.([a-z_]+\.[a-z_]+)\.v([1-9]\d{0,5})$/;
const KNOWN_TYPES: ReadonlySet<string> = new Set(EVENT_TYPES);

export interface VersionedType {
  readonly type: string;
  readonly version: number;
}

/** What a type is called in an envelope, in its version of today: `dev.signalbox.task.created.v1`. */
export function versionedTypeOf(type: string, upcasters: Upcasters = UPCASTERS): string {
  return `${PREFIX}${type}.v${versionOf(type, upcasters)}`;
}

/** Reads `dev.signalbox.task.created.v1`; null where it has another form. */
export function parseVersionedType(text: string): VersionedType | null {
  const [, type, version] = VERSIONED_TYPE.exec(text) ?? [];
  return type === undefined ? null : { type, version: Number(version) };
}

/**
 * Lifts an event to its version of today.
 * @param where the place of the event, for the message
 * @throws SignalboxError `log_newer` for a version, or `log_corrupt` for a type, that this program does not know
 */
export function upcast(
  { type, version }: VersionedType,
  event: unknown,
  where: string,
  upcasters: Upcasters = UPCASTERS,
): unknown {
  if (!KNOWN_TYPES.has(type)) {
    throw new SignalboxError(
      'log_corrupt',
      `the message at ${where} is a ${type}: this version of Signalbox knows no such event. If a newer Signalbox wrote the log, use that one`,
    );
  }
  const today = versionOf(type, upcasters);
  if (version > today) {
    throw new SignalboxError(
      'log_newer',
      `the event at ${where} is a ${type} of version ${version}, and this Signalbox knows version ${today} at most: a newer one wrote the log. Use that one`,
      { details: { type, version, known: today } },
    );
  }
  if (version === today || typeof event !== 'object' || event === null) return event;
  return (upcasters[type] ?? []).slice(version - 1).reduce<Fields>((old, lift) => lift(old), event as Fields);
}

function versionOf(type: string, upcasters: Upcasters): number {
  return (upcasters[type]?.length ?? 0) + 1;
}
