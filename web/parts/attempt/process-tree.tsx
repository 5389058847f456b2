/** Running processes, each below the process that started it. */
import type { AnswerOf } from '../../api/types.ts';
import { Ago } from '../base/basics.tsx';
import { bytes, duration } from '../base/format.ts';
import { Line } from '../base/safe-text.tsx';

type Process = AnswerOf<'readProcessTree'>['processes'][number];

export function ProcessTree({ processes }: { readonly processes: readonly Process[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard.
    <section class="scroll" tabIndex={0} aria-label="Table of processes">
      <table>
        <thead>
          <tr>
            <th>Process</th>
            <th>Command</th>
            <th class="right">CPU time</th>
            <th class="right">Memory</th>
            <th class="right">Started</th>
          </tr>
        </thead>
        <tbody>
          {ordered(processes, null, 0).map(({ process, depth }) => (
            <tr key={process.pid}>
              <td class="mono">{process.pid}</td>
              <td class="mono">
                <span class="dim" aria-hidden="true">
                  {depth > 0 && `${'\u2003'.repeat(depth - 1)}└ `}
                </span>
                <Line text={process.command} />
              </td>
              <td class="right">{duration(process.cpu_ms)}</td>
              <td class="right">{bytes(process.memory_bytes)}</td>
              <td class="right">
                <Ago time={process.started_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface Placed {
  readonly process: Process;
  readonly depth: number;
}

function ordered(processes: readonly Process[], above: number | null, depth: number): readonly Placed[] {
  return processes
    .filter(({ parent }) => parent === above)
    .flatMap((process) => [{ process, depth }, ...ordered(processes, process.pid, depth + 1)]);
}
