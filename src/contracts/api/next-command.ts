/** The commands that explanations and hints name: complete, so that they can be pasted anywhere. */
import type { TaskRef } from '../ids.ts';
import type { QuestionJson } from './questions.ts';

/** As in `"signalbox task retry k3v9 --project shop"`. @param rest options after the id */
export function taskCommand(verb: string, { project, task }: TaskRef, rest = ''): string {
  return `"signalbox task ${verb} ${task} --project ${project}${rest && ` ${rest}`}"`;
}

/** The commands with which a user decides on a result. */
export function reviewCommands(task: TaskRef): string {
  return `${taskCommand('approve', task)}, or ${taskCommand('reject', task, '--comment TEXT')}`;
}

/** The command that answers a question, with what is to be put in. */
export function answerCommand({
  project,
  task,
  id,
  kind,
}: Pick<QuestionJson, 'project' | 'task' | 'id' | 'kind'>): string {
  const given = { permission: '--option OPTION', choice: '--option OPTION', text: '--text TEXT' };
  const rest = { ...given, form: "--content '{…}'", link: '' }[kind];
  return `"signalbox question answer ${id} --task ${task} --project ${project}${rest && ` ${rest}`}"`;
}
