export type { StateOptions } from './actor/state-options.ts';
export { buildCatalogTopology, CATALOG_APPLICATION } from './catalog/application.ts';
export { CATALOG_STORE } from './catalog/processor.ts';
export { buildIdempotencyTopology, IDEMPOTENCY_APPLICATION } from './idempotency/application.ts';
export { IDEMPOTENCY_STORE, IN_FLIGHT_EXPIRY_MS, KEY_RETENTION_MS } from './idempotency/processor.ts';
export {
  buildInferenceLanes,
  buildInferenceTopology,
  INFERENCE_APPLICATION,
  type InferenceLane,
  type InferenceOptions,
} from './inference/application.ts';
export { FAILURE_REASONS, type FailureReason } from './inference/inference-failure.ts';
export { type InferenceMetrics, noInferenceMetrics } from './inference/inference-metrics.ts';
export { buildInspectionTopology, INSPECTION_APPLICATION } from './inspection/application.ts';
export {
  byTimeKey,
  listInspections,
  mergeNewest,
} from './inspection/list-inspections.ts';
export { INSPECTIONS_BY_TIME_STORE, INSPECTIONS_STORE } from './inspection/processor.ts';
export {
  buildLineYieldTopology,
  LINE_YIELD_APPLICATION,
  YIELD_GRACE_MS,
  YIELD_WINDOW_MS,
} from './line-yield/application.ts';
export { buildModelDeploymentTopology, MODEL_DEPLOYMENT_APPLICATION } from './model-deployment/application.ts';
export { MODEL_DEPLOYMENTS_STORE } from './model-deployment/processor.ts';
export { createPlatformSerdes, type PlatformSerdes } from './platform-serdes.ts';
export type { Detection, Detector, DetectorInput, DetectorVersion, ImageDecoder, ImageSource } from './ports.ts';
export { buildTimescaleTopology, type ProjectedEvent, TIMESCALE_APPLICATION } from './timescale/application.ts';
export {
  artifactView,
  defectView,
  inspectionView,
  lotOf,
  lotView,
  modelDeploymentView,
  partOf,
  partView,
} from './views.ts';
