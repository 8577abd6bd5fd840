/** Options of topologies with state. */
export interface StateOptions {
  /** Where state lives between commits. Default `persistent`: a restart restores only the tail of the changelog. */
  readonly store?: 'memory' | 'persistent';
}
