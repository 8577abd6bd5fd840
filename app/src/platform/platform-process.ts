import type { Log } from 'millrace';
import type { PlatformConfig } from '../config.ts';
import type { PlatformMetrics } from '../metrics/metrics.ts';
import type { Applications } from './applications.ts';
import type { Components } from './component.ts';
import type { Connections } from './connections.ts';

/** What the roles of a process share. */
export interface PlatformProcess {
  readonly config: PlatformConfig;
  readonly log: Log;
  readonly metrics: PlatformMetrics;
  readonly connections: Connections;
  readonly components: Components;
  readonly applications: Applications;
}
