/**
 * Versions of events, and the conversion of an older version to the current one.
 *
 * Bytes in the log are never rewritten: an event is upcast each time that it is read, one version after the other,
 * before it is checked against the current schema. A version that is newer than this program knows is refused.
 */
import { SignalboxError } from '../../contracts/errors.ts';
import type { Fields, Upcaster } from '../../contracts/events/event.ts';
import { declarationOf, EVENT_TYPES, type EventType, isEventType } from '../../contracts/events/events.ts';

/** The upcasters of each type, from version 1 on. */
export type Upcasters = Readonly<Record<string, readonly Upcaster[]>>;

export const UPCASTERS: Upcasters = Object.fromEntries(
  EVENT_TYPES.map((type) => [type, declarationOf(type).upcasters]),
);

const PREFIX = 'dev.signalbox.';
const VERSIONED_TYPE = /^dev\.signalbox\.([a-z_]+\.[a-z_]+)\.v([1-9]\d{0,5})$/;

export interface VersionedType {
  readonly type: string;
  readonly version: number;
}

/** The name of a type in an envelope, with its current version: `dev.signalbox.task.created.v1`. */
export function versionedTypeOf(type: string, upcasters: Upcasters = UPCASTERS): string {
  return `${PREFIX}${type}.v${versionOf(type, upcasters)}`;
}

/** Reads `dev.signalbox.task.created.v1`; null if it has another form. */
export function parseVersionedType(text: string): VersionedType | null {
  const [, type, version] = VERSIONED_TYPE.exec(text) ?? [];
  return type === undefined ? null : { type, version: Number(version) };
}

/**
 * Converts an event to its current version.
 * @param where the place of the event, for the message
 * @throws SignalboxError `log_newer` for a version, or `log_corrupt` for a type, that this program does not know
 */
export function upcast(
  { type, version }: VersionedType,
  event: unknown,
  where: string,
  upcasters: Upcasters = UPCASTERS,
): { readonly type: EventType; readonly event: unknown } {
  if (!isEventType(type)) {
    throw new SignalboxError(
      'log_corrupt',
      `the message at ${where} is a ${type}: this version of Signalbox knows no such event. If a newer Signalbox wrote the log, use that one`,
    );
  }
  const current = versionOf(type, upcasters);
  if (version > current) {
    throw new SignalboxError(
      'log_newer',
      `the event at ${where} is a ${type} of version ${version}, and this Signalbox knows version ${current} at most: a newer one wrote the log. Use that one`,
      { details: { type, version, known: current } },
    );
  }
  if (version === current || typeof event !== 'object' || event === null) return { type, event };
  const steps = (upcasters[type] ?? []).slice(version - 1);
  return { type, event: steps.reduce<Fields>((older, step) => step(older), { ...event }) };
}

function versionOf(type: string, upcasters: Upcasters): number {
  return (upcasters[type]?.length ?? 0) + 1;
}
