/** One attempt of one task. */
export interface AttemptAddress {
  readonly project: string;
  readonly task: string;
  readonly attempt: number;
}

/** As the actor host and the run directories name it. */
export function attemptKey({ project, task, attempt }: AttemptAddress): string {
  return `${project}/${task}/${attempt}`;
}

export function attemptAddress(key: string): AttemptAddress {
  const [project = '', task = '', attempt = ''] = key.split('/');
  return { project, task, attempt: Number(attempt) };
}
