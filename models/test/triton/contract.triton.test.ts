import { useTestStack } from '@chip-quality/dev/testing';
import { createTritonEngine, type TritonEngineOptions } from '../../src/index.ts';
import { describeInferenceEngine } from '../contract/inference-engine.ts';
import { MODEL_DIRECTORY } from '../support/model-directory.ts';

const stack = useTestStack(['triton']);

/** Every transport, stream and shared memory at least twice, not every combination: each takes seconds. */
const WAYS: readonly Pick<TritonEngineOptions, 'transport' | 'streaming' | 'sharedMemory'>[] = [
  { transport: 'fp32' },
  { transport: 'fp32', streaming: true, sharedMemory: true },
  { transport: 'uint8' },
  { transport: 'uint8', sharedMemory: true },
  { transport: 'jpeg' },
  { transport: 'jpeg', streaming: true },
];
/** A busy build machine computes 16 boards in seconds; what the deadline does has a test of its own. */
const DEADLINE_MS = 60_000;

for (const way of WAYS) {
  const name = `Triton, ${Object.entries(way)
    .map(([key, value]) => (value === true ? key : value))
    .join(', ')}`;
  describeInferenceEngine(name, way.transport === 'jpeg' ? 'files' : 'pixels', () =>
    createTritonEngine({
      address: stack.triton.grpc,
      modelDirectory: MODEL_DIRECTORY,
      deadlineMs: DEADLINE_MS,
      ...way,
    }),
  );
}
