/** The local stack: Kafka, schema registry, PostgreSQL, object store and, on request, Triton, as child processes. */
export { socketAddress, tryListen } from '../lock.mjs';
export { LOCAL_FOLDER, REPOSITORY, TEST_ROOT } from './base/paths.ts';
export { environmentOf } from './environment.ts';
export { MissingSoftwareError } from './preflight.ts';
export {
  type S3Endpoint,
  SERVICE_NAMES,
  type ServiceName,
  type StackEndpoints,
  type TritonEndpoint,
} from './services/service.ts';
export {
  DEFAULT_SERVICES,
  type DefaultStack,
  type Stack,
  type StackOptions,
  StackStartError,
  startStack,
} from './start-stack.ts';
