import type { AsyncOperator } from '../processor/async-operator.ts';
import type { AsyncDeps, AsyncOperatorProcessor } from './async-operator-processor.ts';
import { MapAsync } from './map-async.ts';
import { MicroBatch } from './micro-batch.ts';
import { RxPipe } from './rx-pipe.ts';

/** The processor of an asynchronous node, one a task. Throws TopologyError for impossible options. */
export function createAsyncProcessor(operator: AsyncOperator, deps: AsyncDeps): AsyncOperatorProcessor {
  switch (operator.kind) {
    case 'mapAsync':
      return new MapAsync(operator.map, operator.options, deps);
    case 'microBatch':
      return new MicroBatch(operator.map, operator.options, deps);
    case 'pipe':
      return new RxPipe(operator.operators, deps);
  }
}
