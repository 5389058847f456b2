/** Markers: the environment variable by which the processes of an attempt are found, wherever they moved. */
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
 * The variable's value for a child. If this process is itself part of an attempt (an agent that uses a Signalbox of its
 * own), the child belongs to that attempt too and keeps its marker, so that killing the outer attempt finds the inner one.
 */
export function markersFor(marker: string, own: string | undefined = process.env[MARKER_VARIABLE]): string {
  return [...splitMarkers(own ?? ''), marker].join(SEPARATOR);
}
