export type * from '../avro/generated/records.ts';
export { recordSchemas } from '../avro/generated/records.ts';
export { type BackoffBounds, backoffMs } from './contracts/backoff.ts';
export {
  IMAGE_BYTES_MAX,
  IMAGE_PIXELS,
  IMAGE_SIDE_PX,
  type ImageDecoder,
  INVALID_IMAGE_REASONS,
  type InvalidImageReason,
  type RefusedImage,
} from './contracts/board-image.ts';
export type { CommandGateway, CommandReply, CommandRequest } from './contracts/command-gateway.ts';
export type {
  ArtifactConfirmPayload,
  CommandPayloads,
  EarlierPayload,
  InferPayload,
  InspectionCreatePayload,
  LotCreatePayload,
  ModelDeployPayload,
  ModelRollbackPayload,
  ModelSuspendPayload,
  PartCreatePayload,
} from './contracts/command-payloads.ts';
export {
  type ClassifierOpinion,
  type Detection,
  type DetectOptions,
  type Detector,
  type DetectorInput,
  type DetectorVersion,
  INFERENCE_ERROR_REASONS,
  type InferenceErrorReason,
} from './contracts/detector.ts';
export { ERROR_CODES } from './contracts/error-codes.ts';
export type { BoardView, LineYieldView, LiveFrame, LiveMessage, LiveSnapshot } from './contracts/live-feed.ts';
export type { ImageSource, ObjectHead, Objects } from './contracts/object-storage.ts';
export {
  ACTOR_PROBLEMS,
  API_PROBLEMS,
  type FieldError,
  PROBLEM_TYPE_PREFIX,
  type Problem,
} from './contracts/problem-details.ts';
export type { ProjectedEvent } from './contracts/projected-event.ts';
export type { Models, Queries } from './contracts/queries.ts';
export { UnavailableError } from './contracts/unavailable-error.ts';
export {
  artifactId,
  commandId,
  derivedId,
  eventId,
  goldenImagePath,
  inspectionId,
  inspectionImagePath,
  jobId,
  lineKey,
  lotId,
  PLATFORM_NAMESPACE,
  parseLineKey,
  partId,
  requestKey,
  UNASSIGNED_LINE,
} from './ids.ts';
export type { AvroComplexSchema, AvroField, AvroSchema } from './inline-schema.ts';
export { PARTITIONS, type PlatformTopicSpec, topicSpecs, topics } from './topics.ts';
export type * from './views.ts';
export {
  CANDIDATE_MODES,
  type CandidateMode,
  DEFAULT_MODEL_NAME,
  DEFECT_TYPES,
  type DefectType,
  INFERENCE_BATCH_SIZE_MAX,
  INFERENCE_PRIORITIES,
  INSPECTION_STATUSES,
  INSPECTION_TYPES,
  type InferencePriority,
  type InspectionStatus,
  type InspectionType,
  OPERATIONS,
  type Operation,
  priorityBand,
  SEVERITIES,
  type Severity,
} from './vocabulary.ts';
