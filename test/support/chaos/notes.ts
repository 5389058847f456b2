/** What the agents of a run have noted: that they were started, and which of their words were taken. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { notesOf } from './agents.ts';

export interface Note {
  readonly task: string;
  readonly attempt: number;
  readonly pid: number;
  /** The system's own start time of the process, as in /proc/PID/stat. */
  readonly startTime: string;
  /** Texts that Signalbox has answered as taken. */
  readonly words: readonly string[];
}

export async function readNotes(directory: string): Promise<Note[]> {
  const notes = notesOf(directory);
  return Promise.all(
    (await readdir(notes)).map(async (name) => {
      const text = await readFile(join(notes, name), 'utf8');
      return { ...noteNamed(name), words: text.split('\n').filter((line) => line !== '') };
    }),
  );
}

/** Processes of agents that were noted and are alive. */
export async function aliveAgents(directory: string): Promise<number[]> {
  const notes = (await readdir(notesOf(directory))).map(noteNamed);
  const alive = await Promise.all(
    notes.map(async ({ pid, startTime }) => ((await startTimeOf(pid)) === startTime ? [pid] : [])),
  );
  return alive.flat();
}

function noteNamed(name: string): Omit<Note, 'words'> {
  const [task = '', attempt, pid, startTime = ''] = name.split('.');
  return { task, attempt: Number(attempt), pid: Number(pid), startTime };
}

/** null for a process that is gone, or a zombie. */
async function startTimeOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === undefined || state === 'Z' || state === '' ? null : (rest[18] ?? null);
}

/** Processes that carry the mark of an attempt of this run, or work in one of its directories. */
export async function processesOf(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      const isMarked = environment.includes('SIGNALBOX_ATTEMPT_MARKER=') && environment.includes(directory);
      return isMarked || (await worksIn(pid, join(directory, 'data', 'attempts'))) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

async function worksIn(pid: string, directory: string): Promise<boolean> {
  const place = await readlink(`/proc/${pid}/cwd`).catch(() => '');
  return place.startsWith(directory);
}
