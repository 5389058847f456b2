/** Which files and folders of an attempt are replaced by what, at which stage of it. */
import { HOSTILE_KINDS, type HostileKind } from './kinds.ts';

const LOGS = ['stdout.log', 'stderr.log'].flatMap((log) =>
  ['', '.1', '.head', '.rotated'].map((part) => `process/${log}${part}`),
);
const RECORDS = ['spec.json', 'launcher', 'agent', 'exit', 'exec-failed', 'launcher.err', 'launch.err'];
const PROCESS = [...RECORDS, 'stdout', 'stderr'].map((name) => `process/${name}`);
const FILES = ['prompt.md', ...PROCESS, ...LOGS];
/** Of a program whose standard input stays open. */
const CHANNEL = ['opening.jsonl', ...['in', 'fed', 'sent'].map((name) => `process/${name}`)];
/** All files at once; files that would hide what another one does; the folders, up to that of all attempts of the task. */
const TARGETS: readonly (readonly string[])[] = [
  FILES,
  ['process/exit'],
  ['process/launch.err'],
  ['process'],
  ['work'],
  ['.'],
  ['..'],
];

const STAGES = ['starting', 'running', 'reported', 'stopping', 'ended', 'stopped'] as const;
/** `reported`: its agent has written its result and stays. `stopped`: Signalbox is not running. */
export type Stage = (typeof STAGES)[number];

export interface HostileCase {
  /** The id of its task. */
  readonly id: string;
  readonly stage: Stage;
  readonly kind: HostileKind;
  readonly agent: string;
  /** Relative to the directory of its attempt. */
  readonly targets: readonly string[];
}

const AGENT: Readonly<Record<Stage, string>> = {
  starting: 'quiet',
  running: 'quiet',
  reported: 'lingering',
  stopping: 'deaf',
  ended: 'brief',
  stopped: 'patient',
};

export function casesOf(stage: Stage): HostileCase[] {
  const cases = HOSTILE_KINDS.flatMap((kind) => casesWith(stage, kind, AGENT[stage], TARGETS));
  const spokenTo = HOSTILE_KINDS.flatMap((kind) => casesWith(stage, kind, 'spoken-to', [CHANNEL]));
  switch (stage) {
    case 'starting':
      return [...cases, ...spokenTo];
    case 'running':
      return [...cases, ...spokenTo, ...alone(stage)];
    default:
      return cases;
  }
}

/** Each file alone, by what would block an open. */
function alone(stage: Stage): HostileCase[] {
  const each = [
    ...casesWith(
      stage,
      'fifo',
      'quiet',
      FILES.map((file) => [file]),
    ),
    ...casesWith(
      stage,
      'fifo',
      'spoken-to',
      CHANNEL.map((file) => [file]),
    ),
  ];
  return each.map((one) => ({ ...one, id: `${one.id}-alone` }));
}

function casesWith(
  stage: Stage,
  kind: HostileKind,
  agent: string,
  targets: readonly (readonly string[])[],
): HostileCase[] {
  return targets.map((each, index) => ({
    id: `${stage}-${kind}-${agent}-${index}`,
    stage,
    kind,
    agent,
    targets: each,
  }));
}
