export { CATALOG_STORE } from './catalog/catalog-processor.ts';
export { buildCatalogTopology, CATALOG_APPLICATION } from './catalog/catalog-topology.ts';
export { IDEMPOTENCY_STORE, IN_FLIGHT_EXPIRY_MS, KEY_RETENTION_MS } from './idempotency/idempotency-processor.ts';
export { buildIdempotencyTopology, IDEMPOTENCY_APPLICATION } from './idempotency/idempotency-topology.ts';
export { FAILURE_REASONS, type FailureReason } from './inference/inference-failure.ts';
export { type InferenceMetrics, noInferenceMetrics } from './inference/inference-metrics.ts';
export {
  buildInferenceLanes,
  buildInferenceTopology,
  INFERENCE_APPLICATION,
  type InferenceLane,
  type InferenceOptions,
} from './inference/inference-topology.ts';
export { INSPECTIONS_BY_TIME_STORE, INSPECTIONS_STORE } from './inspection/inspection-processor.ts';
export { buildInspectionTopology, INSPECTION_APPLICATION } from './inspection/inspection-topology.ts';
export {
  byTimeKey,
  listInspections,
  mergeNewest,
} from './inspection/list-inspections.ts';
export {
  buildLineYieldTopology,
  LINE_YIELD_APPLICATION,
  YIELD_GRACE_MS,
  YIELD_WINDOW_MS,
} from './line-yield/line-yield-topology.ts';
export { MODEL_DEPLOYMENTS_STORE } from './model-deployment/deployment-processor.ts';
export { buildModelDeploymentTopology, MODEL_DEPLOYMENT_APPLICATION } from './model-deployment/deployment-topology.ts';
export { createPlatformSerdes, type PlatformSerdes } from './platform-serdes.ts';
export type { Detection, Detector, DetectorInput, DetectorVersion, ImageDecoder, ImageSource } from './ports.ts';
export type { StateOptions } from './state-options.ts';
export { buildTimescaleTopology, type ProjectedEvent, TIMESCALE_APPLICATION } from './timescale/timescale-topology.ts';
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
