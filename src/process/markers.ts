/** Name of the environment variable by which every process of an attempt is found, wherever it moved. */
export const MARKER_VARIABLE = 'SIGNALBOX_ATTEMPT_MARKER';

const SEPARATOR = ',';
const MARKER = /^[A-Za-z0-9_.:/-]{1,256}$/;

export function isMarker(text: string): boolean {
  return MARKER.test(text);
}

export function splitMarkers(value: string): string[] {
  return value.split(SEPARATOR).filter(isMarker);
}

/**
 * The variable's value for a child. If this process is part of an attempt itself (an agent that works with a Signalbox of
 * its own), the child belongs to that attempt too, and keeps its marker: who kills the outer attempt finds the inner one.
 */
export function markersFor(marker: string, own: string | undefined = process.env[MARKER_VARIABLE]): string {
  return [...splitMarkers(own ?? ''), marker].join(SEPARATOR);
}
