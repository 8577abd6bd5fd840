export { alignGolden } from './align-golden.ts';
export { type FolderBoard, loadBoardFolder, truthOf } from './board-folder.ts';
export { fillImage, TENSOR_LENGTH } from './board-tensor.ts';
export { type AnsweringModel, chooseByGolden, type GoldenChoice, type RoutedEngine } from './choose-by-golden.ts';
export { checkImage, decodeImage } from './decode-image.ts';
export {
  InferenceError,
  type InferenceErrorReason,
  InvalidImageError,
  type InvalidImageReason,
  type RefusedImage,
} from './errors.ts';
export {
  type Evaluation,
  evaluateBoards,
  formatEvaluation,
  type KnownBoard,
  readKnownBoards,
} from './evaluate-boards.ts';
export {
  type Detection,
  type DetectorInput,
  IMAGE_PIXELS,
  IMAGE_SIDE_PX,
  type InferenceEngine,
  type InferOptions,
  PLATFORM_DEFECT_TYPES,
  type PlatformDefectType,
  SEVERITIES,
  type SecondOpinion,
  type Severity,
} from './inference-port.ts';
export type { ShadowComparison } from './life-cycle/compare-detections.ts';
export { type CandidateDeployment, type Deployment, placeOf } from './life-cycle/deployment.ts';
export { ModelLifeCycle, type ModelLifeCycleOptions } from './life-cycle/model-life-cycle.ts';
export type { JudgedBatch, ModelObserver, ModelRole } from './life-cycle/model-observer.ts';
export { listModels, type RepositoryModel, type RepositoryVersion } from './life-cycle/model-repository.ts';
export { TritonModelSource, type TritonModelSourceOptions } from './life-cycle/triton-model-source.ts';
export {
  type ModelClass,
  type ModelDescription,
  readModelDescription,
  severityOf,
} from './model-description.ts';
export { createOnnxEngine, type OnnxEngineOptions } from './onnx-engine.ts';
export {
  type Circuit,
  makeResilient,
  type ResilienceOptions,
  type ResilientEngine,
} from './resilience/resilient-engine.ts';
export {
  averagePrecision,
  type Box,
  type DetectionScore,
  intersectionOverUnion,
  type JudgedBoard,
  MATCH_IOU,
  meanAveragePrecision,
  ratesOf,
  type ScoredDetection,
  scoreDetections,
  sumScores,
  type TrueDefect,
} from './score-detections.ts';
export { TRITON_TRANSPORTS, type TritonTransport } from './triton/messages.ts';
export { type LoadOverrides, TritonAdmin } from './triton/triton-admin.ts';
export { createTritonEngine, type TritonEngineOptions } from './triton/triton-engine.ts';
