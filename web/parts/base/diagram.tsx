/** A state machine as a picture, drawn from the machine itself, with the present state lit. */
import { Graph, layout } from '@dagrejs/dagre';
import { useEffect, useMemo } from 'preact/hooks';
import type { MachineGraphAnswer } from '../../api/types.ts';
import { loadMachines, machines } from '../../state/machines.ts';
import { Loading, toneOf } from './basics.tsx';
import { spoken } from './format.ts';

export interface DiagramProps {
  readonly machine: string;
  /** The one that is lit; none where it is absent. */
  readonly state?: string;
  /** Whether the ways say which event leads along them. */
  readonly hasLabels?: boolean;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly states: readonly (Point & {
    readonly name: string;
    readonly kind: string;
    readonly width: number;
  })[];
  readonly ways: readonly {
    readonly key: string;
    readonly from: string;
    readonly line: string;
    readonly label: readonly string[];
    readonly at: Point;
  }[];
}

const STATE_HEIGHT = 26;
const LINE_HEIGHT = 12;
const MARGIN = 8;
/** Pixels that a character takes, about: the layout needs a size before anything is drawn. */
const CHARACTER = 7;

export function Diagram({ machine, state, hasLabels = false }: DiagramProps) {
  useEffect(loadMachines, []);
  const graph = machines.value?.find(({ name }) => name === machine);
  const picture = useMemo(() => (graph ? drawn(graph, hasLabels) : null), [graph, hasLabels]);
  if (!picture) return <Loading what="the state machine" />;
  const { width, height, states, ways } = picture;
  const arrow = `arrow-${machine}`;
  const title = `States of the ${machine} machine${state === undefined ? '' : `; it is ${spoken(state)}`}`;
  return (
    <figure class="diagram">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        style={{ maxWidth: `${width}px` }}
        role="img"
        aria-label={title}
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
        {ways.map(({ key, from, line, label, at }) => (
          <g key={key} class="diagram-way" data-lit={from === state}>
            <path d={line} marker-end={`url(#${arrow})`} />
            {label.map((text, index) => (
              <text key={text} x={at.x} y={at.y + (index - (label.length - 1) / 2) * LINE_HEIGHT + 3}>
                {text}
              </text>
            ))}
          </g>
        ))}
        {states.map(({ name, kind, x, y, width: wide }) => (
          <g
            key={name}
            class="diagram-state"
            data-kind={kind}
            data-tone={toneOf(name)}
            data-lit={name === state}
            transform={`translate(${x} ${y})`}
          >
            <rect
              x={-wide / 2}
              y={-STATE_HEIGHT / 2}
              width={wide}
              height={STATE_HEIGHT}
              rx={STATE_HEIGHT / 2}
            />
            <text y={4}>{spoken(name)}</text>
          </g>
        ))}
      </svg>
      {hasLabels ? null : <Ways graph={graph} state={state} />}
    </figure>
  );
}

/** What can happen next, in words: the picture has no room for them. */
function Ways({
  graph,
  state,
}: {
  readonly graph: MachineGraphAnswer | undefined;
  readonly state: string | undefined;
}) {
  const ways = new Map<string, Set<string>>();
  for (const { from, to, event } of graph?.transitions ?? []) {
    if (from === state) ways.set(event, (ways.get(event) ?? new Set()).add(spoken(to)));
  }
  if (ways.size === 0) return <figcaption class="dim">Nothing leads out of this state.</figcaption>;
  return (
    <figcaption>
      <ul class="ways">
        {[...ways].map(([event, states]) => (
          <li key={event}>
            <span class="dim">{eventName(event)} →</span> {[...states].join(', ')}
          </li>
        ))}
      </ul>
    </figcaption>
  );
}

const eventName = (event: string): string => spoken(event.replace(/^\w+\./, ''));

function drawn({ states, transitions }: MachineGraphAnswer, hasLabels: boolean): Picture {
  const graph = new Graph();
  graph.setGraph({
    rankdir: 'TB',
    nodesep: 18,
    ranksep: hasLabels ? 34 : 24,
    marginx: MARGIN,
    marginy: MARGIN,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name, kind } of states) {
    graph.setNode(name, { kind, width: name.length * CHARACTER + 22, height: STATE_HEIGHT });
  }
  const labels = new Map<string, string[]>();
  for (const { from, to, event } of transitions) {
    const key = `${from} → ${to}`;
    const known = labels.get(key);
    const label = eventName(event);
    if (!known) labels.set(key, [label]);
    else if (!known.includes(label)) known.push(label);
    graph.setEdge(from, to, {});
  }
  if (hasLabels) {
    for (const edge of graph.edges()) {
      const label = labels.get(`${edge.v} → ${edge.w}`) ?? [];
      const width = Math.max(...label.map((text) => text.length)) * (CHARACTER - 1.4);
      graph.setEdge(edge.v, edge.w, { width, height: label.length * LINE_HEIGHT, labelpos: 'c' });
    }
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    states: states.map(({ name, kind }) => {
      const { x = 0, y = 0, width: wide = 0 } = graph.node(name);
      return { name, kind, x, y, width: wide };
    }),
    ways: graph.edges().map((edge) => {
      const { points = [], x = 0, y = 0 } = graph.edge(edge);
      const key = `${edge.v} → ${edge.w}`;
      return {
        key,
        from: edge.v,
        line: curve(points),
        label: hasLabels ? (labels.get(key) ?? []) : [],
        at: { x, y },
      };
    }),
  };
}

/** Through the middles between the points, so that the corners are round. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let path = `M${first.x} ${first.y}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1];
    path += next
      ? `Q${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}`
      : `L${point.x} ${point.y}`;
  });
  return path;
}
