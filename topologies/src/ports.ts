import type { PlatformSerdes } from './platform-serdes.ts';

/** What every flow needs. */
export interface FlowPorts {
  /** How records are read and written. */
  readonly serdes: PlatformSerdes;
}

/** What a flow with state needs. */
export interface StatefulFlowPorts extends FlowPorts {
  /**
   * Where state lives between commits. Default `persistent`: a restart restores only the tail of the changelog.
   * `memory`: it restores all of it.
   */
  readonly store?: 'memory' | 'persistent';
}
