/** The state machines that Signalbox runs. */
import { Section } from '../parts/base/basics.tsx';
import { Diagram } from '../parts/base/diagram.tsx';
import { Page, type PageProps } from '../parts/base/page.tsx';

const MACHINES = [
  ['task', 'A task, from its creation to its end.'],
  ['attempt', 'One run of an agent on a task, from the claim to the outcome.'],
  ['agent', 'Whether an agent is assigned tasks.'],
  ['queue', 'Whether the tasks of one agent, or of one type, are assigned.'],
  ['supervisor', 'Signalbox itself.'],
] as const;

export function MachinesPage({ title }: PageProps) {
  return (
    <Page title={title}>
      <p class="dim">
        Drawn from the state machines that this Signalbox runs. These are all possible transitions.
      </p>
      {MACHINES.map(([machine, text]) => (
        <Section key={machine} title={`The ${machine}`}>
          <p class="dim">{text}</p>
          <Diagram machine={machine} hasLabels />
        </Section>
      ))}
    </Page>
  );
}
