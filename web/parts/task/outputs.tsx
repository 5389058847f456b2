/** The outputs of a task. */
import type { TaskAnswer } from '../../api/types.ts';
import type { WholeTask } from '../../state/whole-task.ts';
import { Ago, Section } from '../base/basics.tsx';
import { bytes } from '../base/format.ts';
import { RichText } from '../base/rich-text.tsx';
import { Line } from '../base/safe-text.tsx';
import { TaskDiff } from './task-diff.tsx';

export function Outputs({ task }: { readonly task: WholeTask }) {
  const { outputs = [] } = task;
  return (
    <Section title="Outputs" count={outputs.length}>
      {outputs.length === 0 && <p class="dim">No outputs.</p>}
      {outputs.map((output) => (
        <Output key={output.number} task={task} output={output} isOpen={output.number === outputs.length} />
      ))}
    </Section>
  );
}

function Output({
  task,
  output,
  isOpen,
}: {
  readonly task: WholeTask;
  readonly output: NonNullable<TaskAnswer['outputs']>[number];
  readonly isOpen: boolean;
}) {
  const file = output.content_file;
  return (
    <details class="output" open={isOpen} data-item>
      <summary>
        <Line text={output.title} /> <span class="chip">{output.type}</span>{' '}
        <span class="dim">
          {output.agent}
          {output.attempt !== null && `, attempt ${output.attempt}`}, <Ago time={output.time} />
        </span>
      </summary>
      {output.summary !== null && (
        <p>
          <Line text={output.summary} />
        </p>
      )}
      {output.diff !== null && <TaskDiff task={task} output={output.number} />}
      {output.diff === null && output.content !== null && (
        <RichText
          text={output.content}
          label={`Output ${output.number}`}
          fileName={`output-${output.number}.txt`}
        />
      )}
      {output.diff === null && file && (
        <p class="mono dim">
          {file.stored_at} ({bytes(file.size)})
        </p>
      )}
    </details>
  );
}
