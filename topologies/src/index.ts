export { catalogFlow } from './catalog/application.ts';
export { CATALOG_STORE } from './catalog/processor.ts';
export type { AnyFlow, Flow, FlowDeadLetters, FlowOptions, FlowRole, PlatformTopic } from './flow.ts';
export { type FlowsOf, flows, flowsOf, ownerOf, type PlatformFlow, type QueryableStore } from './flows.ts';
export { idempotencyFlow } from './idempotency/application.ts';
export { IDEMPOTENCY_STORE, IN_FLIGHT_EXPIRY_MS, KEY_RETENTION_MS } from './idempotency/processor.ts';
export { type InferencePorts, inferenceFlow } from './inference/application.ts';
export { BoardInspector, type BoardInspectorOptions } from './inference/board-inspector.ts';
export { FAILURE_REASONS, type FailureReason } from './inference/inference-failure.ts';
export { type InferenceMetrics, noInferenceMetrics } from './inference/inference-metrics.ts';
export { inspectionFlow } from './inspection/application.ts';
export {
  byTimeKey,
  listInspections,
  mergeNewest,
} from './inspection/list-inspections.ts';
export { INSPECTIONS_BY_TIME_STORE, INSPECTIONS_STORE } from './inspection/processor.ts';
export { lineYieldFlow, YIELD_GRACE_MS, YIELD_WINDOW_MS } from './line-yield/application.ts';
export { modelDeploymentFlow } from './model-deployment/application.ts';
export { MODEL_DEPLOYMENTS_STORE } from './model-deployment/processor.ts';
export { createPlatformSerdes, type PlatformSerdes } from './platform-serdes.ts';
export type { FlowPorts, StatefulFlowPorts } from './ports.ts';
export { type TimescalePorts, timescaleFlow } from './timescale/application.ts';
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
