export { InferenceError, InvalidImageError } from './errors.ts';
export type { InferenceErrorReason, InvalidImageReason } from './errors.ts';
export { IMAGE_PIXELS, IMAGE_SIDE_PX, PLATFORM_DEFECT_TYPES, SEVERITIES } from './inference-port.ts';
export type {
  Detection,
  DetectorInput,
  InferenceEngine,
  InferOptions,
  PlatformDefectType,
  Severity,
} from './inference-port.ts';
