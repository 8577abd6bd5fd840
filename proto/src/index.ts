/** The inference protocol that Triton and KServe speak: `inference.proto`, its service and its messages. */
export type * from './messages.ts';
export { type InferenceService, inferenceService } from './service.ts';
