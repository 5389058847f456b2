/** The state machines that the server runs; loaded once. */
import { signal } from '@preact/signals';
import { get } from '../api/http.ts';
import type { AnswerOf, MachineGraph } from '../api/types.ts';

export const machines = signal<readonly MachineGraph[] | null>(null);

let isAsking = false;

export function loadMachines(): void {
  if (isAsking) return;
  isAsking = true;
  get<AnswerOf<'listMachines'>>('/api/machines').then(
    (answer) => {
      machines.value = answer.machines;
    },
    () => {
      isAsking = false;
    },
  );
}
