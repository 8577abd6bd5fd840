/** The local stack: Kafka, schema registry, PostgreSQL, object store and, on request, Triton, as child processes. */
export { socketAddress, tryListen } from '../lock.mjs';
export { LOCAL_FOLDER, REPOSITORY, TEST_ROOT } from './base/paths.ts';
export { environmentOf } from './environment.ts';
export {
  PART_NAMES,
  type PartName,
  type S3Endpoint,
  type StackEndpoints,
  type TritonEndpoint,
} from './parts/part.ts';
export { MissingSoftwareError } from './preflight.ts';
export {
  DEFAULT_PARTS,
  type DefaultStack,
  type Stack,
  type StackOptions,
  StackStartError,
  startStack,
} from './start-stack.ts';
