/** The commands that explanations and hints name: complete, so that they can be pasted anywhere. */
import type { TaskRef } from '../ids.ts';

/** As in `"signalbox task retry k3v9 --project shop"`. @param rest options after the id */
export function taskCommand(verb: string, { project, task }: TaskRef, rest = ''): string {
  return `"signalbox task ${verb} ${task} --project ${project}${rest && ` ${rest}`}"`;
}

/** The commands with which a user decides on a result. */
export function reviewCommands(task: TaskRef): string {
  return `${taskCommand('approve', task)}, or ${taskCommand('reject', task, '--comment TEXT')}`;
}
