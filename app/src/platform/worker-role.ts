import { createTimescaleSink } from '@chip-quality/sinks';
import { BoardInspector, flowsOf } from '@chip-quality/topologies';
import { systemClock } from 'millrace';
import { imageReader, type startDetector } from '../detector/start-detector.ts';
import { suspendCandidateWith } from '../detector/suspend-candidate.ts';
import type { Application } from './application.ts';
import { Judging } from './judging.ts';
import type { PlatformProcess } from './platform-process.ts';
import { retention } from './retention.ts';
import { WatchedSink } from './watched-sink.ts';

/**
 * The worker's half of a process: inference, projection into PostgreSQL, line yield. Starts what its flows need and answers their
 * applications, not started. `start`: where what judges comes from.
 */
export async function prepareWorker(
  platform: PlatformProcess,
  start: typeof startDetector,
): Promise<readonly Application[]> {
  const { config, log, metrics, connections, components, applications } = platform;
  const { pool, objects, serdes } = connections;
  const judging = new Judging(() =>
    start(config, {
      broker: connections.broker,
      serdes,
      observer: (modelName) => metrics.models(modelName, log),
      suspendCandidate: suspendCandidateWith(config, serdes, log),
      log,
    }),
  );
  const sql = new WatchedSink('sql sink', () => createTimescaleSink({ pool, name: 'timescale', log }));
  await components.start([retention(pool, log), judging, sql]);
  const ports = {
    serdes,
    clock: systemClock,
    inspector: new BoardInspector({
      images: objects,
      decode: imageReader(config.inference),
      detector: judging.detector,
      clock: systemClock,
      metrics: metrics.inference,
    }),
    makeSqlSink: sql.make,
  };
  return flowsOf('worker').map((flow) => applications.add(flow, flow.build(ports)));
}
