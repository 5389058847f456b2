/** A state machine drawn as a graph, with the current state highlighted. */
import { useEffect, useMemo } from 'preact/hooks';
import type { MachineGraph } from '../../api/types.ts';
import { loadMachines, machines } from '../../state/machines.ts';
import { Loading, toneOf } from './basics.tsx';
import { eventName, LINE_HEIGHT, type Picture, pictureOf, STATE_HEIGHT } from './diagram-layout.ts';
import { spoken } from './format.ts';

export interface DiagramProps {
  readonly machine: string;
  /** Highlighted; none if absent. */
  readonly state?: string;
  /** Whether the arrows are labelled with their events. Without labels, the events are listed below the picture. */
  readonly hasLabels?: boolean;
}

export function Diagram({ machine, state, hasLabels = false }: DiagramProps) {
  useEffect(loadMachines, []);
  const graph = machines.value?.find(({ name }) => name === machine);
  const picture = useMemo(() => (graph ? pictureOf(graph, hasLabels) : null), [graph, hasLabels]);
  if (!graph || !picture) return <Loading what="the state machine" />;
  const arrow = `arrow-${machine}`;
  const current = state === undefined ? '' : `; the current state is ${spoken(state)}`;
  return (
    <figure class="diagram">
      <svg
        viewBox={`${picture.left} 0 ${picture.width} ${picture.height}`}
        style={{ maxWidth: `${picture.width}px` }}
        role="img"
        aria-label={`States of the ${machine}${current}`}
      >
        <defs>
          <marker
            id={arrow}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path d="M0 0L8 4L0 8z" class="diagram-arrow" />
          </marker>
        </defs>
        {picture.edges.map((edge) => (
          <Edge key={edge.key} edge={edge} isLit={edge.from === state} arrow={arrow} />
        ))}
        {picture.states.map((node) => (
          <State key={node.name} node={node} isLit={node.name === state} />
        ))}
      </svg>
      {!hasLabels && <NextStates graph={graph} state={state} />}
    </figure>
  );
}

interface EdgeProps {
  readonly edge: Picture['edges'][number];
  readonly isLit: boolean;
  /** Id of the marker at its end. */
  readonly arrow: string;
}

function Edge({ edge: { line, label, at }, isLit, arrow }: EdgeProps) {
  return (
    <g class="diagram-way" data-lit={isLit}>
      <path d={line} marker-end={`url(#${arrow})`} />
      {label.map((text, index) => (
        <text key={text} x={at.x} y={at.y + (index - (label.length - 1) / 2) * LINE_HEIGHT + 3}>
          {text}
        </text>
      ))}
    </g>
  );
}

function State({ node, isLit }: { readonly node: Picture['states'][number]; readonly isLit: boolean }) {
  const { name, kind, x, y, width } = node;
  return (
    <g
      class="diagram-state"
      data-kind={kind}
      data-tone={toneOf(name)}
      data-lit={isLit}
      transform={`translate(${x} ${y})`}
    >
      <rect x={-width / 2} y={-STATE_HEIGHT / 2} width={width} height={STATE_HEIGHT} rx={STATE_HEIGHT / 2} />
      <text y={4}>{spoken(name)}</text>
    </g>
  );
}

interface NextStatesProps {
  readonly graph: MachineGraph;
  readonly state: string | undefined;
}

function NextStates({ graph, state }: NextStatesProps) {
  const next = new Map<string, Set<string>>();
  for (const { from, to, event } of graph.transitions) {
    if (from === state) next.set(event, (next.get(event) ?? new Set()).add(spoken(to)));
  }
  if (next.size === 0) return <figcaption class="dim">This state is final.</figcaption>;
  return (
    <figcaption>
      <ul class="ways">
        {[...next].map(([event, states]) => (
          <li key={event}>
            <span class="dim">{eventName(event)} →</span> {[...states].join(', ')}
          </li>
        ))}
      </ul>
    </figcaption>
  );
}
