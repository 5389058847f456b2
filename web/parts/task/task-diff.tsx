/** What a task has changed, by file. It is the diff of one output, so it is the same in the past. */
import { path } from '../../api/http.ts';
import type { DiffAnswer, TaskAnswer } from '../../api/types.ts';
import { useResource } from '../../state/resource.ts';
import { Trouble } from '../base/basics.tsx';
import { RichText } from '../base/rich-text.tsx';
import { Line } from '../base/safe-text.tsx';

/** Files that are open at first: more of them are a list to choose from. */
const MAX_OPEN = 5;

export function TaskDiff({
  task: { project, id },
  output,
}: {
  readonly task: Pick<TaskAnswer, 'project' | 'id'>;
  readonly output: number;
}) {
  const url = path`/api/projects/${project}/tasks/${id}/diff`;
  const { value: diff, error, reload } = useResource<DiffAnswer>(`${url}?output=${output}`);
  if (!diff) return error ? <Trouble error={error} retry={reload} /> : <p class="dim">Loading the diff…</p>;
  const hidden = diff.file_count - diff.files.length;
  return (
    <div class="task-diff">
      <p class="dim mono">
        {diff.base.slice(0, 12)} → {diff.commit.slice(0, 12)}
      </p>
      {diff.notes.map((note) => (
        <p key={note} class="dim">
          <Line text={note} />
        </p>
      ))}
      {diff.files.map((file) => (
        <DiffFile key={file.path} file={file} isOpen={diff.files.length <= MAX_OPEN} />
      ))}
      {hidden > 0 && <p class="dim">{hidden} more files have changed.</p>}
    </div>
  );
}

function DiffFile({
  file,
  isOpen,
}: {
  readonly file: DiffAnswer['files'][number];
  readonly isOpen: boolean;
}) {
  const { path: name, old_path, change, insertions, deletions, binary, patch } = file;
  return (
    <details class="diff-file" open={isOpen}>
      <summary>
        <span class="mono">
          {old_path !== null && (
            <>
              <Line text={old_path} /> →{' '}
            </>
          )}
          <Line text={name} />
        </span>{' '}
        <span class="chip">{change}</span>{' '}
        {binary ? (
          <span class="dim">binary</span>
        ) : (
          <span class="mono">
            <span data-tone="good" class="diff-count">
              +{insertions}
            </span>{' '}
            <span data-tone="bad" class="diff-count">
              −{deletions}
            </span>
          </span>
        )}
      </summary>
      {patch !== '' && <RichText text={patch} label={`Changes of ${name}`} />}
    </details>
  );
}
