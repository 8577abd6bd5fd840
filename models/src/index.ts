export { createOnnxEngine, type OnnxEngineOptions } from './engines/onnx/onnx-engine.ts';
export { TRITON_TRANSPORTS, type TritonTransport } from './engines/triton/messages.ts';
export { type LoadOverrides, TritonAdmin } from './engines/triton/triton-admin.ts';
export { createTritonEngine, type TritonEngineOptions } from './engines/triton/triton-engine.ts';
export {
  InferenceError,
  InvalidImageError,
} from './errors.ts';
export {
  type BoardFolder,
  type FolderBoard,
  loadBoardFolder,
  readBoardFolder,
  truthOf,
} from './evaluation/board-folder.ts';
export {
  type Evaluation,
  evaluateBoards,
  formatEvaluation,
  type KnownBoard,
  readKnownBoards,
} from './evaluation/evaluate-boards.ts';
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
} from './evaluation/score-detections.ts';
export { alignGolden } from './images/align-golden.ts';
export { fillImage, TENSOR_LENGTH } from './images/board-tensor.ts';
export { checkImage, decodeImage } from './images/decode-image.ts';
export type {
  InferenceEngine,
  InferOptions,
} from './inference-port.ts';
export {
  chooseByGolden,
  type OwnedDetector,
} from './judging/choose-by-golden.ts';
export {
  type Circuit,
  makeResilient,
  type ResilienceOptions,
  type ResilientEngine,
} from './judging/resilient-engine.ts';
export type { ShadowComparison } from './versions/compare-detections.ts';
export { type CandidateDeployment, type Deployment, placeOf } from './versions/deployment.ts';
export {
  type ModelClass,
  type ModelDescription,
  readModelDescription,
  severityOf,
} from './versions/model-description.ts';
export { ModelLifeCycle, type ModelLifeCycleOptions } from './versions/model-life-cycle.ts';
export type { JudgedBatch, ModelObserver, ModelRole } from './versions/model-observer.ts';
export { listModels, type RepositoryModel, type RepositoryVersion } from './versions/model-repository.ts';
export { TritonModelSource, type TritonModelSourceOptions } from './versions/triton-model-source.ts';
