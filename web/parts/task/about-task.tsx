/** The request of a task, its progress, and its relations to other tasks. */
import type { ComponentChildren } from 'preact';
import { type Fact, factsOf } from '../../../src/contracts/api/task-facts.ts';
import type { WholeTask } from '../../state/whole-task.ts';
import { Ago, Facts } from '../base/basics.tsx';
import { duration, moment } from '../base/format.ts';
import { agentHref } from '../base/links.tsx';
import { Block, Line } from '../base/safe-text.tsx';
import { TaskLink } from './family.tsx';

export function AboutTask({ task }: { readonly task: WholeTask }) {
  const facts = factsOf({ ...task, events: [] });
  const of = (...kinds: Fact['kind'][]): Fact[] => facts.filter(({ kind }) => kinds.includes(kind));
  return (
    <>
      <Facts
        rows={[
          ...of('agent', 'text', 'pairs', 'seconds', 'time').map(
            (fact) => [fact.label, shown(fact)] as const,
          ),
        ]}
      />
      {of('list').map(({ label, values }) => (
        <Items key={label} label={label}>
          {values.map((text) => (
            <li key={text}>
              {label === 'Links' ? (
                <a href={text} target="_blank" rel="noreferrer">
                  {text}
                </a>
              ) : (
                <Line text={text} />
              )}
            </li>
          ))}
        </Items>
      ))}
      {of('json').map(({ label, values }) => (
        <Block key={label} text={values.join()} label={label} />
      ))}
      {[...of('tasks'), ...childrenOf(task)].map(({ label, values }) => (
        <Items key={label} label={label}>
          {values.map((id) => (
            <li key={id}>
              <TaskLink project={task.project} id={id} />
            </li>
          ))}
        </Items>
      ))}
    </>
  );
}

function shown({ label, kind, values }: Fact) {
  const [value = ''] = values;
  if (kind === 'agent') return <a href={agentHref(value)}>{value}</a>;
  if (kind === 'seconds') return duration(Number(value) * 1_000);
  if (kind === 'time')
    return label === 'Created' || label === 'Finished' ? moment(value) : <Ago time={value} />;
  return values.join(', ');
}

function Items({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <h3>{label}</h3>
      <ul class="plain">{children}</ul>
    </div>
  );
}

function childrenOf({ children }: WholeTask): Pick<Fact, 'label' | 'values'>[] {
  return children === undefined ? [] : [{ label: 'Subtasks', values: children.ids }];
}
