/** How Signalbox decides: its state machines, as they run. */
import { Section } from '../parts/base/basics.tsx';
import { Diagram } from '../parts/base/diagram.tsx';

const MACHINES = [
  ['task', 'Where a task stands, from its creation to its end.'],
  ['attempt', 'One try of one agent, from its claim to its outcome.'],
  ['agent', 'Whether an agent takes tasks.'],
  ['queue', 'Whether the tasks of one agent, or of one type, are handed out.'],
  ['supervisor', 'Signalbox itself.'],
] as const;

export function MachinesPage() {
  return (
    <div class="page">
      <h1>State machines</h1>
      <p class="dim">Drawn from the machines that this Signalbox runs: there is no way but these.</p>
      {MACHINES.map(([machine, text]) => (
        <Section key={machine} title={`The ${machine}`}>
          <p class="dim">{text}</p>
          <Diagram machine={machine} hasLabels />
        </Section>
      ))}
    </div>
  );
}
