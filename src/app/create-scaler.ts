import type { ScalableEngine } from '../domain/engine.ts';
import type { LoadSource } from '../domain/scaling.ts';
import type { Coordinator } from '../run/coordinator.ts';
import type { Journal } from '../run/journal.ts';
import { Scaler } from '../scaling/scaler.ts';
import type { Roster } from './agent-names.ts';

export interface ScalerWiring {
  scaling: Roster['scaling'];
  load: LoadSource;
  coordinator: Coordinator;
  engine: ScalableEngine;
  journal: Journal;
}

/** What lets the number of agents follow the load; null where it stays. */
export function createScaler({ scaling, load, coordinator, engine, journal }: ScalerWiring): Scaler | null {
  if (scaling === null) return null;
  return new Scaler({
    ...scaling,
    source: load,
    workload: () => ({ ...coordinator.workload, inChildren: engine.inChildren }),
    resize: (agents) => {
      engine.resize(agents);
      coordinator.resize(agents);
    },
    journal,
  });
}
