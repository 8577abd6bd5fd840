export { type FolderBoard, loadBoardFolder, truthOf } from './board-folder.ts';
export { type AnsweringModel, chooseByGolden, type GoldenChoice, type RoutedEngine } from './choose-by-golden.ts';
export { decodeImage } from './decode-image.ts';
export {
  InferenceError,
  type InferenceErrorReason,
  InvalidImageError,
  type InvalidImageReason,
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
  type Severity,
} from './inference-port.ts';
export {
  type ModelClass,
  type ModelDescription,
  readModelDescription,
  severityOf,
} from './model-description.ts';
export { createOnnxEngine, type OnnxEngineOptions } from './onnx-engine.ts';
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
export type { TritonTransport } from './triton/messages.ts';
export { type LoadOverrides, TritonAdmin } from './triton/triton-admin.ts';
export { createTritonEngine, type TritonEngineOptions } from './triton/triton-engine.ts';
