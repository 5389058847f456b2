/** Places the states and transitions of a machine on a plane. */
import { Graph, layout } from '@dagrejs/dagre';
import type { MachineGraph } from '../../api/types.ts';
import { spoken } from './format.ts';

interface Point {
  readonly x: number;
  readonly y: number;
}

interface StateNode extends Point {
  readonly name: string;
  readonly kind: string;
  readonly width: number;
}

interface Edge {
  readonly key: string;
  readonly from: string;
  /** The path of an SVG. */
  readonly line: string;
  /** One line of text each. */
  readonly label: readonly string[];
  readonly at: Point;
}

/** Sizes and coordinates in pixels. */
export interface Picture {
  /** Its left edge. */
  readonly left: number;
  readonly width: number;
  readonly height: number;
  readonly states: readonly StateNode[];
  readonly edges: readonly Edge[];
}

export const STATE_HEIGHT = 26;
export const LINE_HEIGHT = 12;
const MARGIN = 8;
/** Approximate: the layout needs the width of a text before the text is drawn. */
const CHARACTER_WIDTH = 7;

/** The name of an event for a label: `attempt.stop_requested` is "stop requested". */
export const eventName = (event: string): string => spoken(event.replace(/^\w+\./, ''));

export function pictureOf({ states, transitions }: MachineGraph, hasLabels: boolean): Picture {
  const graph = new Graph();
  const margins = { marginx: MARGIN, marginy: MARGIN };
  graph.setGraph({ rankdir: 'TB', nodesep: 18, ranksep: hasLabels ? 34 : 24, ...margins });
  for (const { name, kind } of states) {
    graph.setNode(name, { kind, width: name.length * CHARACTER_WIDTH + 22, height: STATE_HEIGHT });
  }
  const labels = hasLabels ? labelsOf(transitions) : new Map<string, string[]>();
  for (const { from, to } of transitions) {
    const label = labels.get(edgeKey(from, to)) ?? [];
    const width = Math.max(0, ...label.map((text) => text.length)) * (CHARACTER_WIDTH - 1.4);
    const size = { width, height: label.length * LINE_HEIGHT, labelpos: 'c' };
    graph.setEdge(from, to, hasLabels ? size : {});
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  // The width of the graph does not include the bends of edges.
  const bends = graph.edges().flatMap((edge) => (graph.edge(edge).points ?? []).map(({ x }: Point) => x));
  const left = Math.min(0, ...bends.map((x) => x - MARGIN));
  return {
    left,
    width: Math.max(width, ...bends.map((x) => x + MARGIN)) - left,
    height,
    states: states.map(({ name, kind }) => {
      const { x = 0, y = 0, width: wide = 0 } = graph.node(name);
      return { name, kind, x, y, width: wide };
    }),
    edges: graph.edges().map((edge) => {
      const { points = [], x = 0, y = 0 } = graph.edge(edge);
      const key = edgeKey(edge.v, edge.w);
      return { key, from: edge.v, line: curve(points), label: labels.get(key) ?? [], at: { x, y } };
    }),
  };
}

const edgeKey = (from: string, to: string): string => `${from} → ${to}`;

function labelsOf(transitions: MachineGraph['transitions']): ReadonlyMap<string, string[]> {
  const labels = new Map<string, string[]>();
  for (const { from, to, event } of transitions) {
    const key = edgeKey(from, to);
    const label = labels.get(key) ?? [];
    if (!label.includes(eventName(event))) label.push(eventName(event));
    labels.set(key, label);
  }
  return labels;
}

/** Passes through the midpoints between the points, so that the corners are round. */
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
