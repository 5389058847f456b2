/** The state machines that the server runs; loaded once. */
import { signal } from '@preact/signals';
import { get } from '../api/http.ts';
import type { MachineGraphAnswer } from '../api/types.ts';

export const machines = signal<readonly MachineGraphAnswer[] | null>(null);

let isAsking = false;

export function loadMachines(): void {
  if (isAsking) return;
  isAsking = true;
  get<{ readonly machines: readonly MachineGraphAnswer[] }>('/api/machines').then(
    (answer) => {
      machines.value = answer.machines;
    },
    () => {
      isAsking = false;
    },
  );
}
