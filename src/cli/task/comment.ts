import type { Command } from 'commander';
import { type ClientOptions, clientOf, userName, withClientOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface CommentOptions extends ClientOptions {
  readonly author: string;
}

export function addTaskComment(task: Command, terminal: Terminal): void {
  const command = withClientOptions(task.command('comment'))
    .summary('comment on a task')
    .description('Adds a comment to a task. Its next attempt gets to read it.')
    .argument('<id>', 'the task')
    .argument('<text>', 'the comment')
    .option('--author <name>', 'who comments', userName())
    .action(async (id: string, body: string, { author, project, ...options }: CommentOptions) => {
      const answer = await clientOf(options).addComment({ project, task: id, author, body });
      if (options.json) terminal.print(JSON.stringify(answer, null, 2));
      else
        terminal.print(
          `task ${answer.id} has ${answer.comment_count} ${answer.comment_count === 1 ? 'comment' : 'comments'} now`,
        );
    });
  withExamples(command, [
    ['Tell the next attempt something', 'signalbox task comment k3v9x2m1q8zt "look at src/ only"'],
  ]);
}
