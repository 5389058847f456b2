/** What an agent says of its task, with the token of its attempt. Words are not repeated: each is recorded. */
import type { TaskAnswer } from '../contracts/api/answers.ts';
import type { AddComment, AddOutput, Heartbeat, StatusReport } from '../contracts/api/requests.ts';
import { projectId, taskId } from '../contracts/ids.ts';
import type { Caller } from './caller.ts';

export class AgentWordsClient {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  status(project: string, id: string, report: StatusReport): Promise<TaskAnswer> {
    return this.#say(project, id, 'status', report);
  }

  output(project: string, id: string, output: AddOutput): Promise<TaskAnswer> {
    return this.#say(project, id, 'outputs', output);
  }

  /** A person, who has no such token, says who comments. */
  comment(project: string, id: string, comment: AddComment): Promise<TaskAnswer> {
    return this.#say(project, id, 'comments', comment);
  }

  /** A sign of life. Without a detail it is not recorded, and may be repeated. */
  async heartbeat(project: string, id: string, heartbeat: Heartbeat = {}): Promise<TaskAnswer> {
    const request = { method: 'POST', body: heartbeat } as const;
    const isRecorded = heartbeat.detail !== undefined;
    const path = pathOf(project, id, 'heartbeat');
    return (await this.#caller.call(path, request, !isRecorded)).body as TaskAnswer;
  }

  async #say(project: string, id: string, what: string, body: object): Promise<TaskAnswer> {
    return (await this.#caller.write(pathOf(project, id, what), body)) as TaskAnswer;
  }
}

function pathOf(project: string, id: string, what: string): string {
  return `/api/projects/${projectId(project)}/tasks/${taskId(id)}/${what}`;
}
