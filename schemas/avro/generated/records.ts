// Generated from schemas/avro/*.avsc by schemas/src/generate.ts. Do not edit.
import type { AvroComplexSchema } from '../../src/inline-schema.ts';

/** An actor's answer to a command. Topic api.replies, key `tenant|idempotencyKey`. */
export interface ApiReply {
  /** The command that is answered. */
  readonly command_id: string;
  /** Tenant of the caller. */
  readonly tenant_id: string;
  /** Key of the request. */
  readonly idempotency_key: string;
  /** HTTP status. */
  readonly status: number;
  /** Resource, or problem details on 4xx and 5xx, as a JSON object in a string. */
  readonly body: string;
}

/** A client's request to change something, on its way to the idempotency actor. Topic api.requests, key `tenant|idempotencyKey`. */
export interface ApiRequest {
  /** UUIDv7 of this HTTP request; the response carries it back. */
  readonly request_id: string;
  /** Tenant of the caller. */
  readonly tenant_id: string;
  /** JWT subject of the caller. */
  readonly subject: string;
  /** As the client sent it, at most 255 characters. */
  readonly idempotency_key: string;
  /** part.create, part.confirm_golden, lot.create, inspection.create, inspection.confirm_artifact, inspection.infer, model.deploy, model.rollback or model.suspend (of workers, never of clients). */
  readonly operation: string;
  /** Id of the part, lot or inspection concerned; name of the model. */
  readonly resource_id: string;
  /** Validated body and what the API resolved, as a JSON object in a string: its form depends on the operation. */
  readonly payload: string;
  /** SHA-256, hex, of operation, path and canonical body: tells a replay from a reuse of the key. */
  readonly payload_hash: string;
  /** W3C trace context; empty when there was none. */
  readonly traceparent: string;
  /** When the API received it, epoch milliseconds. */
  readonly received_at: number;
}

/** The answer to one HTTP request, read by every API instance and matched by request_id. Topic api.responses, key `tenant|idempotencyKey`. */
export interface ApiResponse {
  /** The HTTP request that is answered. */
  readonly request_id: string;
  /** Tenant of the caller. */
  readonly tenant_id: string;
  /** HTTP status. */
  readonly status: number;
  /** Resource, or problem details, as a JSON object in a string. */
  readonly body: string;
  /** True where this is the stored answer of an earlier request with the same key. */
  readonly replayed: boolean;
}

/** Topic artifact.management, key inspection_id. */
export interface ArtifactEvent {
  /** UUIDv5 of the input record (topic, partition, offset, index): the same event has the same id after a redelivery. */
  readonly event_id: string;
  /** One of: artifact.uploaded. */
  readonly event_type: string;
  /** When it happened, epoch milliseconds. */
  readonly timestamp: number;
  /** W3C trace context (`traceparent`) of the request that caused it; empty when there was none. */
  readonly trace_id: string;
  /** The tenant that owns the resource. */
  readonly tenant_id: string;
  /** What happened. */
  readonly payload: ArtifactPayload;
}

/** An artifact of an inspection. */
export interface ArtifactPayload {
  /** UUID of the inspection. */
  readonly inspection_id: string;
  /** Chip that it shows. */
  readonly chip_id: string;
  /** The object. */
  readonly artifact: ArtifactRef;
}

/** A confirmed object in the object store. */
export interface ArtifactRef {
  /** UUID. */
  readonly artifact_id: string;
  /** As the client named it; never part of the storage path. */
  readonly filename: string;
  /** Key in the bucket. */
  readonly storage_path: string;
  /** Media type, e.g. image/jpeg. */
  readonly content_type: string;
  /** Size that the object store reported at confirmation. */
  readonly size_bytes: number;
  /** Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown. */
  readonly checksum: string;
  /** image, measurement, log or video. */
  readonly artifact_type: string;
  /** Free-form client facts as a JSON object in a string. */
  readonly metadata: string;
}

/** Topic catalog.events, key is the part's or lot's id. */
export interface CatalogEvent {
  /** UUIDv5 of the input record (topic, partition, offset, index): the same event has the same id after a redelivery. */
  readonly event_id: string;
  /** One of: part.created, part.updated, lot.created. */
  readonly event_type: string;
  /** When it happened, epoch milliseconds. */
  readonly timestamp: number;
  /** W3C trace context (`traceparent`) of the request that caused it; empty when there was none. */
  readonly trace_id: string;
  /** The tenant that owns the resource. */
  readonly tenant_id: string;
  /** What happened. */
  readonly payload: CatalogPayload;
}

/** Exactly one of the two is set. */
export interface CatalogPayload {
  /** On part.created and part.updated. */
  readonly part: Part | null;
  /** On lot.created. */
  readonly lot: Lot | null;
}

/** State of one part or lot (store `catalog`); exactly one of `part` and `lot` is set. */
export interface CatalogState {
  /** Owner. */
  readonly tenant_id: string;
  /** Command that created it. */
  readonly command_id: string;
  /** Offset of that command. */
  readonly origin_offset: number;
  /** Command that last set the golden image. */
  readonly golden_command_id: string | null;
  /** Offset of that command. */
  readonly golden_origin_offset: number | null;
  /** Set for parts. */
  readonly part: Part | null;
  /** Set for lots. */
  readonly lot: Lot | null;
  /** The last refused commands. */
  readonly rejections: readonly Rejection[];
}

/** A request that is new to its idempotency key. Topics inspection.commands, catalog.commands and model.commands, key is the resource id. A redelivered or repeated command has the same command_id and gets the original answer. */
export interface Command {
  /** UUIDv5 of tenant and idempotency key. */
  readonly command_id: string;
  /** Tenant of the caller. */
  readonly tenant_id: string;
  /** JWT subject of the caller. */
  readonly subject: string;
  /** With the tenant the key of the answer on api.replies. */
  readonly idempotency_key: string;
  /** As in ApiRequest. */
  readonly operation: string;
  /** Id of the part, lot or inspection concerned; name of the model. */
  readonly resource_id: string;
  /** As in ApiRequest: a JSON object in a string. */
  readonly payload: string;
  /** W3C trace context; empty when there was none. */
  readonly traceparent: string;
  /** When the API received the first request with this key, epoch milliseconds. */
  readonly issued_at: number;
}

/** An artifact of an inspection and the command that confirmed it. */
export interface ConfirmedArtifact {
  /** The object. */
  readonly artifact: ArtifactRef;
  /** Command that confirmed it. */
  readonly command_id: string;
  /** Offset of that command. */
  readonly origin_offset: number;
  /** Epoch milliseconds. */
  readonly confirmed_at: number;
}

/** One defect that the detector found on a board. */
export interface Defect {
  /** UUIDv5 of the job id and the position in the result. */
  readonly id: string;
  /** Platform type: scratch, void, contamination, misalignment, short or open. */
  readonly defect_type: string;
  /** The model's own label. */
  readonly label: string;
  /** low, medium, high or critical. */
  readonly severity: string;
  /** Left edge of the box, pixels of the inspected image. */
  readonly x: number;
  /** Upper edge of the box, pixels. */
  readonly y: number;
  /** Width of the box, pixels. */
  readonly width: number;
  /** Height of the box, pixels. */
  readonly height: number;
  /** 0 to 1. */
  readonly confidence: number;
  /** Null: nobody was asked. */
  readonly second_opinion: SecondOpinion | null;
}

/** State of one idempotency key (store `idempotency`). */
export interface IdempotencyEntry {
  /** The request that waits for, or got, the first answer. */
  readonly request_id: string;
  /** Command that was sent. */
  readonly command_id: string;
  /** As in ApiRequest. */
  readonly operation: string;
  /** As in ApiRequest. */
  readonly resource_id: string;
  /** As in ApiRequest. */
  readonly payload_hash: string;
  /** As in ApiRequest. */
  readonly subject: string;
  /** As in ApiRequest. */
  readonly traceparent: string;
  /** Kept until the answer is there, so that the very same command can be sent again; then empty. */
  readonly payload: string;
  /** Receipt of the first request, epoch milliseconds. */
  readonly issued_at: number;
  /** Receipt of the request that last sent the command, epoch milliseconds. */
  readonly dispatched_at: number;
  /** HTTP status of the stored answer; null while in flight. */
  readonly status: number | null;
  /** Stored answer; empty while in flight. */
  readonly body: string;
}

/** Topic inference.workflow, key inspection_id. */
export interface InferenceEvent {
  /** UUIDv5 of the input record (topic, partition, offset, index): the same event has the same id after a redelivery. */
  readonly event_id: string;
  /** One of: inference.requested, inference.completed, inference.failed. */
  readonly event_type: string;
  /** When it happened, epoch milliseconds. */
  readonly timestamp: number;
  /** W3C trace context (`traceparent`) of the request that caused it; empty when there was none. */
  readonly trace_id: string;
  /** The tenant that owns the resource. */
  readonly tenant_id: string;
  /** What happened. */
  readonly payload: InferencePayload;
}

/** Why an inference gave no result. */
export interface InferenceFailure {
  /** Machine-readable, e.g. invalid_image:not-an-image, object_not_found, object_store_unavailable, inference_failed. */
  readonly reason: string;
  /** A sentence for people. */
  readonly detail: string;
}

/** One attempt to judge one inspection. */
export interface InferencePayload {
  /** UUIDv5 of the command that asked for it. */
  readonly job_id: string;
  /** UUID of the inspection. */
  readonly inspection_id: string;
  /** 1 for the first attempt on the inspection. */
  readonly attempt: number;
  /** Model that was asked for. */
  readonly model_name: string;
  /** Confirmed image artifacts, oldest first; the last one is judged. */
  readonly artifacts: readonly ArtifactRef[];
  /** Golden image of the part, null where it has none. */
  readonly golden: ArtifactRef | null;
  /** As the client asked: no batch with this board is larger, 1 to 32. */
  readonly batch_size: number;
  /** As the client asked; null: the model's own. */
  readonly confidence_threshold: number | null;
  /** low, normal or high. */
  readonly priority: string;
  /** When the attempt was requested, epoch milliseconds. */
  readonly requested_at: number;
  /** On inference.completed. */
  readonly results: InferenceResults | null;
  /** On inference.failed. */
  readonly failure: InferenceFailure | null;
}

/** What a detector answered. */
export interface InferenceResults {
  /** Version of the model that answered. */
  readonly model_version: string;
  /** Detections at or above the threshold, by falling confidence. */
  readonly defects: readonly Defect[];
  /** Highest confidence; null without detections. */
  readonly confidence_score: number | null;
  /** Threshold that was applied. */
  readonly confidence_threshold: number;
  /** Time of the batch in the detector, milliseconds. */
  readonly processing_time_ms: number;
  /** Number of defects. */
  readonly defects_detected: number;
  /** Boards that were judged in the same batch. */
  readonly batch_size: number;
}

/** One inference attempt and the command that asked for it. */
export interface InspectionAttempt {
  /** 1 for the first. */
  readonly attempt: number;
  /** UUIDv5 of the command. */
  readonly job_id: string;
  /** Command that asked. */
  readonly command_id: string;
  /** Offset of that command. */
  readonly origin_offset: number;
  /** Revision that the request made. */
  readonly requested_revision: number;
  /** Epoch milliseconds. */
  readonly requested_at: number;
  /** As answered to the client, epoch milliseconds. */
  readonly estimated_completion: number;
  /** Model that was asked for. */
  readonly model_name: string;
  /** Revision that the result made; null while running. */
  readonly finished_revision: number | null;
  /** Offset of the inference event that ended it: only that very record may announce the result again. */
  readonly finished_offset: number | null;
  /** Epoch milliseconds. */
  readonly finished_at: number | null;
  /** Version that judged. */
  readonly model_version: string | null;
  /** pass or fail; null while running or when the inference failed. */
  readonly verdict: string | null;
  /** Why the inference failed. */
  readonly failure_reason: string | null;
  /** What was found. */
  readonly defects: readonly Defect[];
}

/** Topic inspection.lifecycle, key inspection_id. */
export interface InspectionEvent {
  /** UUIDv5 of the input record (topic, partition, offset, index): the same event has the same id after a redelivery. */
  readonly event_id: string;
  /** One of: inspection.created, inspection.updated, inspection.completed, inspection.failed. */
  readonly event_type: string;
  /** When it happened, epoch milliseconds. */
  readonly timestamp: number;
  /** W3C trace context (`traceparent`) of the request that caused it; empty when there was none. */
  readonly trace_id: string;
  /** The tenant that owns the resource. */
  readonly tenant_id: string;
  /** What happened. */
  readonly payload: InspectionPayload;
}

/** An inspection as of one revision, with all that yield, the live page and SQL need. */
export interface InspectionPayload {
  /** UUIDv5 of tenant, lot, chip and inspection type. */
  readonly inspection_id: string;
  /** Grows with every change of the inspection: the higher one is the newer state. */
  readonly revision: number;
  /** UUID of the lot. */
  readonly lot_id: string;
  /** UUID of the part. */
  readonly part_id: string;
  /** Serial of the board or chip, unique in its lot. */
  readonly chip_id: string;
  /** visual, electrical, thermal, mechanical or dimensional. */
  readonly inspection_type: string;
  /** pending, in_progress, completed or failed. */
  readonly status: string;
  /** pass or fail; null until completed. */
  readonly verdict: string | null;
  /** 1 (low) to 10 (critical). */
  readonly priority: number;
  /** low (1-3), normal (4-6), high (7-8) or critical (9-10). */
  readonly priority_band: string;
  /** Test station. */
  readonly station_id: string | null;
  /** Production line. */
  readonly line_id: string | null;
  /** Free-form client facts as a JSON object in a string. */
  readonly metadata: string;
  /** Number of inference attempts so far; first-pass yield counts attempt 1 only. */
  readonly attempt: number;
  /** The inference job of this attempt. */
  readonly job_id: string | null;
  /** The model that judged. */
  readonly model_name: string | null;
  /** Its version. */
  readonly model_version: string | null;
  /** Why the inference failed, e.g. invalid_image:corrupt; null otherwise. */
  readonly failure_reason: string | null;
  /** What was found; empty until completed. */
  readonly defects: readonly Defect[];
  /** Confirmed image artifacts, oldest first. */
  readonly artifact_ids: readonly string[];
  /** Epoch milliseconds. */
  readonly created_at: number;
  /** Epoch milliseconds. */
  readonly updated_at: number;
  /** When this attempt was requested. */
  readonly started_at: number | null;
  /** When this attempt ended, well or badly. */
  readonly completed_at: number | null;
  /** Partition of the input record that caused the event. */
  readonly origin_partition: number;
  /** Offset of the input record that caused the event: an aggregate that has counted it ignores a repetition. */
  readonly origin_offset: number;
}

/** State of one inspection (store `inspections`). */
export interface InspectionState {
  /** inspection_id. */
  readonly id: string;
  /** Owner. */
  readonly tenant_id: string;
  /** UUID of the lot. */
  readonly lot_id: string;
  /** UUID of the part. */
  readonly part_id: string;
  /** Chip. */
  readonly chip_id: string;
  /** As in InspectionPayload. */
  readonly inspection_type: string;
  /** 1 to 10. */
  readonly priority: number;
  /** Test station. */
  readonly station_id: string | null;
  /** Production line. */
  readonly line_id: string | null;
  /** JSON object in a string. */
  readonly metadata: string;
  /** Command that created it. */
  readonly command_id: string;
  /** Offset of that command. */
  readonly origin_offset: number;
  /** Trace context of the last command. */
  readonly traceparent: string;
  /** Number of changes so far. */
  readonly revision: number;
  /** Epoch milliseconds. */
  readonly created_at: number;
  /** Epoch milliseconds. */
  readonly updated_at: number;
  /** Oldest first. */
  readonly artifacts: readonly ConfirmedArtifact[];
  /** Oldest first; the last is the current one. */
  readonly attempts: readonly InspectionAttempt[];
  /** The last refused commands. */
  readonly rejections: readonly Rejection[];
}

/** Topic line.yield, key `tenant|line`. */
export interface LineYieldEvent {
  /** UUIDv5 of the input record (topic, partition, offset, index): the same event has the same id after a redelivery. */
  readonly event_id: string;
  /** One of: line.yield. */
  readonly event_type: string;
  /** When it happened, epoch milliseconds. */
  readonly timestamp: number;
  /** W3C trace context (`traceparent`) of the request that caused it; empty when there was none. */
  readonly trace_id: string;
  /** The tenant that owns the resource. */
  readonly tenant_id: string;
  /** What happened. */
  readonly payload: LineYieldPayload;
}

/** First-pass results of one line in one window. Every update of a window replaces the one before. */
export interface LineYieldPayload {
  /** Production line; `unassigned` for inspections without one. */
  readonly line_id: string;
  /** Inclusive, epoch milliseconds. */
  readonly window_start: number;
  /** Exclusive, epoch milliseconds. */
  readonly window_end: number;
  /** First attempts with a verdict. */
  readonly inspected: number;
  /** Of those: pass. */
  readonly passed: number;
  /** Of those: fail. */
  readonly failed: number;
  /** First attempts whose inference failed: no verdict, not in `inspected`. */
  readonly errored: number;
  /** passed / inspected; null where no board got a verdict. */
  readonly first_pass_yield: number | null;
  /** Defects found on first attempts, by platform type. */
  readonly defects: Readonly<Record<string, number>>;
}

/** Aggregate of one line and window. */
export interface LineYieldState {
  /** As in LineYieldPayload. */
  readonly inspected: number;
  /** As in LineYieldPayload. */
  readonly passed: number;
  /** As in LineYieldPayload. */
  readonly failed: number;
  /** As in LineYieldPayload. */
  readonly errored: number;
  /** As in LineYieldPayload. */
  readonly defects: Readonly<Record<string, number>>;
  /** Trace of the last counted event. */
  readonly trace_id: string;
  /** Time of the last counted event, epoch milliseconds. */
  readonly updated_at: number;
  /** Makes counting idempotent: origin offsets ascend within a partition, so a repetition is never above its mark. */
  readonly counted: readonly YieldSource[];
}

/** A production batch of one part. */
export interface Lot {
  /** UUIDv5 of tenant and lot number. */
  readonly id: string;
  /** The customer's number. */
  readonly lot_number: string;
  /** UUID of the part. */
  readonly part_id: string;
  /** Planned number of boards. */
  readonly quantity: number;
  /** Epoch milliseconds. */
  readonly created_at: number;
}

/** A version of a model that is tried beside the one in production. */
export interface ModelCandidate {
  /** Folder of the version in the model repository. */
  readonly version: string;
  /** split: judges its share of the inspections instead of production. shadow: sees them too, its answers are only compared and counted. */
  readonly mode: string;
  /** Share of the inspections, above 0 to 1, chosen by a stable hash of the inspection id. */
  readonly share: number;
  /** Since when it judges no more because it went on failing, epoch milliseconds; null while it is tried. */
  readonly suspended_at: number | null;
}

/** State of one model's deployment (store `model-deployments`), key model name. */
export interface ModelDeploymentState {
  /** What is deployed. */
  readonly deployment: ModelDeployment;
  /** Answers to the last commands, refused or not: a redelivered command gets the same one and changes nothing. */
  readonly answers: readonly Rejection[];
}

/** Which versions of a model judge. Compacted topic model.deployments, key model name: every instance follows it. */
export interface ModelDeployment {
  /** Folder of the model in the model repository. */
  readonly model_name: string;
  /** Grows by one with each change. */
  readonly revision: number;
  /** Version that judges. */
  readonly production: string;
  /** Version on trial; null without one. */
  readonly candidate: ModelCandidate | null;
  /** Versions that were in production before, newest last: where rollbacks lead. */
  readonly history: readonly string[];
  /** When the change was asked for, epoch milliseconds. */
  readonly updated_at: number;
  /** JWT subject of who asked for it. */
  readonly updated_by: string;
  /** W3C trace context (`traceparent`) of the request; empty when there was none. */
  readonly trace_id: string;
}

/** A product type that boards are made of. */
export interface Part {
  /** UUIDv5 of tenant and part number. */
  readonly id: string;
  /** The customer's number. */
  readonly part_number: string;
  /** E.g. pcb. */
  readonly part_type: string;
  /** Free text. */
  readonly description: string | null;
  /** Image of a defect-free board. */
  readonly golden: ArtifactRef | null;
  /** Epoch milliseconds. */
  readonly created_at: number;
  /** Epoch milliseconds. */
  readonly updated_at: number;
  /** Grows with every change. */
  readonly revision: number;
}

/** A command that an actor refused: a redelivery is refused with the same words, whatever has changed since. */
export interface Rejection {
  /** The command. */
  readonly command_id: string;
  /** HTTP status. */
  readonly status: number;
  /** Problem details as a JSON object in a string. */
  readonly body: string;
}

/** What a classifier says of a defect, having seen the board around its box only. It changes neither type nor severity nor verdict. */
export interface SecondOpinion {
  /** One of the detector's labels, or background: nothing is wrong there. */
  readonly label: string;
  /** Platform type of the label; null for background. */
  readonly defect_type: string | null;
  /** 0 to 1. */
  readonly probability: number;
  /** Whether its label is another one than the detector's: the defect is for a person to look at. */
  readonly disagrees: boolean;
}

/** How far one input partition has been counted in a window. */
export interface YieldSource {
  /** Origin partition of the lifecycle event. */
  readonly partition: number;
  /** Highest origin offset counted. */
  readonly offset: number;
}

/** All records by name. */
export interface RecordTypes {
  ApiReply: ApiReply;
  ApiRequest: ApiRequest;
  ApiResponse: ApiResponse;
  ArtifactEvent: ArtifactEvent;
  ArtifactPayload: ArtifactPayload;
  ArtifactRef: ArtifactRef;
  CatalogEvent: CatalogEvent;
  CatalogPayload: CatalogPayload;
  CatalogState: CatalogState;
  Command: Command;
  ConfirmedArtifact: ConfirmedArtifact;
  Defect: Defect;
  IdempotencyEntry: IdempotencyEntry;
  InferenceEvent: InferenceEvent;
  InferenceFailure: InferenceFailure;
  InferencePayload: InferencePayload;
  InferenceResults: InferenceResults;
  InspectionAttempt: InspectionAttempt;
  InspectionEvent: InspectionEvent;
  InspectionPayload: InspectionPayload;
  InspectionState: InspectionState;
  LineYieldEvent: LineYieldEvent;
  LineYieldPayload: LineYieldPayload;
  LineYieldState: LineYieldState;
  Lot: Lot;
  ModelCandidate: ModelCandidate;
  ModelDeploymentState: ModelDeploymentState;
  ModelDeployment: ModelDeployment;
  Part: Part;
  Rejection: Rejection;
  SecondOpinion: SecondOpinion;
  YieldSource: YieldSource;
}

/** Self-contained schemas by record name, as they go to the registry. */
export const recordSchemas: { readonly [Name in keyof RecordTypes]: AvroComplexSchema } = {
  ApiReply: {"type":"record","name":"ApiReply","namespace":"chipquality","doc":"An actor's answer to a command. Topic api.replies, key `tenant|idempotencyKey`.","fields":[{"name":"command_id","type":"string","doc":"The command that is answered."},{"name":"tenant_id","type":"string","doc":"Tenant of the caller."},{"name":"idempotency_key","type":"string","doc":"Key of the request."},{"name":"status","type":"int","doc":"HTTP status."},{"name":"body","type":"string","doc":"Resource, or problem details on 4xx and 5xx, as a JSON object in a string."}]},
  ApiRequest: {"type":"record","name":"ApiRequest","namespace":"chipquality","doc":"A client's request to change something, on its way to the idempotency actor. Topic api.requests, key `tenant|idempotencyKey`.","fields":[{"name":"request_id","type":"string","doc":"UUIDv7 of this HTTP request; the response carries it back."},{"name":"tenant_id","type":"string","doc":"Tenant of the caller."},{"name":"subject","type":"string","doc":"JWT subject of the caller."},{"name":"idempotency_key","type":"string","doc":"As the client sent it, at most 255 characters."},{"name":"operation","type":"string","doc":"part.create, part.confirm_golden, lot.create, inspection.create, inspection.confirm_artifact, inspection.infer, model.deploy, model.rollback or model.suspend (of workers, never of clients)."},{"name":"resource_id","type":"string","doc":"Id of the part, lot or inspection concerned; name of the model."},{"name":"payload","type":"string","doc":"Validated body and what the API resolved, as a JSON object in a string: its form depends on the operation."},{"name":"payload_hash","type":"string","doc":"SHA-256, hex, of operation, path and canonical body: tells a replay from a reuse of the key."},{"name":"traceparent","type":"string","doc":"W3C trace context; empty when there was none.","default":""},{"name":"received_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When the API received it, epoch milliseconds."}]},
  ApiResponse: {"type":"record","name":"ApiResponse","namespace":"chipquality","doc":"The answer to one HTTP request, read by every API instance and matched by request_id. Topic api.responses, key `tenant|idempotencyKey`.","fields":[{"name":"request_id","type":"string","doc":"The HTTP request that is answered."},{"name":"tenant_id","type":"string","doc":"Tenant of the caller."},{"name":"status","type":"int","doc":"HTTP status."},{"name":"body","type":"string","doc":"Resource, or problem details, as a JSON object in a string."},{"name":"replayed","type":"boolean","doc":"True where this is the stored answer of an earlier request with the same key.","default":false}]},
  ArtifactEvent: {"type":"record","name":"ArtifactEvent","namespace":"chipquality","doc":"Topic artifact.management, key inspection_id.","fields":[{"name":"event_id","type":"string","doc":"UUIDv5 of the input record (topic, partition, offset, index): the same event has the same id after a redelivery."},{"name":"event_type","type":"string","doc":"One of: artifact.uploaded."},{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When it happened, epoch milliseconds."},{"name":"trace_id","type":"string","doc":"W3C trace context (`traceparent`) of the request that caused it; empty when there was none.","default":""},{"name":"tenant_id","type":"string","doc":"The tenant that owns the resource."},{"name":"payload","type":{"type":"record","name":"ArtifactPayload","namespace":"chipquality","doc":"An artifact of an inspection.","fields":[{"name":"inspection_id","type":"string","doc":"UUID of the inspection."},{"name":"chip_id","type":"string","doc":"Chip that it shows."},{"name":"artifact","type":{"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]},"doc":"The object."}]},"doc":"What happened."}]},
  ArtifactPayload: {"type":"record","name":"ArtifactPayload","namespace":"chipquality","doc":"An artifact of an inspection.","fields":[{"name":"inspection_id","type":"string","doc":"UUID of the inspection."},{"name":"chip_id","type":"string","doc":"Chip that it shows."},{"name":"artifact","type":{"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]},"doc":"The object."}]},
  ArtifactRef: {"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]},
  CatalogEvent: {"type":"record","name":"CatalogEvent","namespace":"chipquality","doc":"Topic catalog.events, key is the part's or lot's id.","fields":[{"name":"event_id","type":"string","doc":"UUIDv5 of the input record (topic, partition, offset, index): the same event has the same id after a redelivery."},{"name":"event_type","type":"string","doc":"One of: part.created, part.updated, lot.created."},{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When it happened, epoch milliseconds."},{"name":"trace_id","type":"string","doc":"W3C trace context (`traceparent`) of the request that caused it; empty when there was none.","default":""},{"name":"tenant_id","type":"string","doc":"The tenant that owns the resource."},{"name":"payload","type":{"type":"record","name":"CatalogPayload","namespace":"chipquality","doc":"Exactly one of the two is set.","fields":[{"name":"part","type":["null",{"type":"record","name":"Part","namespace":"chipquality","doc":"A product type that boards are made of.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of tenant and part number."},{"name":"part_number","type":"string","doc":"The customer's number."},{"name":"part_type","type":"string","doc":"E.g. pcb."},{"name":"description","type":["null","string"],"doc":"Free text.","default":null},{"name":"golden","type":["null",{"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]}],"doc":"Image of a defect-free board.","default":null},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"revision","type":"long","doc":"Grows with every change.","default":1}]}],"doc":"On part.created and part.updated.","default":null},{"name":"lot","type":["null",{"type":"record","name":"Lot","namespace":"chipquality","doc":"A production batch of one part.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of tenant and lot number."},{"name":"lot_number","type":"string","doc":"The customer's number."},{"name":"part_id","type":"string","doc":"UUID of the part."},{"name":"quantity","type":"int","doc":"Planned number of boards."},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."}]}],"doc":"On lot.created.","default":null}]},"doc":"What happened."}]},
  CatalogPayload: {"type":"record","name":"CatalogPayload","namespace":"chipquality","doc":"Exactly one of the two is set.","fields":[{"name":"part","type":["null",{"type":"record","name":"Part","namespace":"chipquality","doc":"A product type that boards are made of.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of tenant and part number."},{"name":"part_number","type":"string","doc":"The customer's number."},{"name":"part_type","type":"string","doc":"E.g. pcb."},{"name":"description","type":["null","string"],"doc":"Free text.","default":null},{"name":"golden","type":["null",{"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]}],"doc":"Image of a defect-free board.","default":null},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"revision","type":"long","doc":"Grows with every change.","default":1}]}],"doc":"On part.created and part.updated.","default":null},{"name":"lot","type":["null",{"type":"record","name":"Lot","namespace":"chipquality","doc":"A production batch of one part.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of tenant and lot number."},{"name":"lot_number","type":"string","doc":"The customer's number."},{"name":"part_id","type":"string","doc":"UUID of the part."},{"name":"quantity","type":"int","doc":"Planned number of boards."},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."}]}],"doc":"On lot.created.","default":null}]},
  CatalogState: {"type":"record","name":"CatalogState","namespace":"chipquality","doc":"State of one part or lot (store `catalog`); exactly one of `part` and `lot` is set.","fields":[{"name":"tenant_id","type":"string","doc":"Owner."},{"name":"command_id","type":"string","doc":"Command that created it."},{"name":"origin_offset","type":"long","doc":"Offset of that command."},{"name":"golden_command_id","type":["null","string"],"doc":"Command that last set the golden image.","default":null},{"name":"golden_origin_offset","type":["null","long"],"doc":"Offset of that command.","default":null},{"name":"part","type":["null",{"type":"record","name":"Part","namespace":"chipquality","doc":"A product type that boards are made of.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of tenant and part number."},{"name":"part_number","type":"string","doc":"The customer's number."},{"name":"part_type","type":"string","doc":"E.g. pcb."},{"name":"description","type":["null","string"],"doc":"Free text.","default":null},{"name":"golden","type":["null",{"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]}],"doc":"Image of a defect-free board.","default":null},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"revision","type":"long","doc":"Grows with every change.","default":1}]}],"doc":"Set for parts.","default":null},{"name":"lot","type":["null",{"type":"record","name":"Lot","namespace":"chipquality","doc":"A production batch of one part.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of tenant and lot number."},{"name":"lot_number","type":"string","doc":"The customer's number."},{"name":"part_id","type":"string","doc":"UUID of the part."},{"name":"quantity","type":"int","doc":"Planned number of boards."},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."}]}],"doc":"Set for lots.","default":null},{"name":"rejections","type":{"type":"array","items":{"type":"record","name":"Rejection","namespace":"chipquality","doc":"A command that an actor refused: a redelivery is refused with the same words, whatever has changed since.","fields":[{"name":"command_id","type":"string","doc":"The command."},{"name":"status","type":"int","doc":"HTTP status."},{"name":"body","type":"string","doc":"Problem details as a JSON object in a string."}]}},"doc":"The last refused commands.","default":[]}]},
  Command: {"type":"record","name":"Command","namespace":"chipquality","doc":"A request that is new to its idempotency key. Topics inspection.commands, catalog.commands and model.commands, key is the resource id. A redelivered or repeated command has the same command_id and gets the original answer.","fields":[{"name":"command_id","type":"string","doc":"UUIDv5 of tenant and idempotency key."},{"name":"tenant_id","type":"string","doc":"Tenant of the caller."},{"name":"subject","type":"string","doc":"JWT subject of the caller."},{"name":"idempotency_key","type":"string","doc":"With the tenant the key of the answer on api.replies."},{"name":"operation","type":"string","doc":"As in ApiRequest."},{"name":"resource_id","type":"string","doc":"Id of the part, lot or inspection concerned; name of the model."},{"name":"payload","type":"string","doc":"As in ApiRequest: a JSON object in a string."},{"name":"traceparent","type":"string","doc":"W3C trace context; empty when there was none.","default":""},{"name":"issued_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When the API received the first request with this key, epoch milliseconds."}]},
  ConfirmedArtifact: {"type":"record","name":"ConfirmedArtifact","namespace":"chipquality","doc":"An artifact of an inspection and the command that confirmed it.","fields":[{"name":"artifact","type":{"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]},"doc":"The object."},{"name":"command_id","type":"string","doc":"Command that confirmed it."},{"name":"origin_offset","type":"long","doc":"Offset of that command."},{"name":"confirmed_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."}]},
  Defect: {"type":"record","name":"Defect","namespace":"chipquality","doc":"One defect that the detector found on a board.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of the job id and the position in the result."},{"name":"defect_type","type":"string","doc":"Platform type: scratch, void, contamination, misalignment, short or open."},{"name":"label","type":"string","doc":"The model's own label."},{"name":"severity","type":"string","doc":"low, medium, high or critical."},{"name":"x","type":"double","doc":"Left edge of the box, pixels of the inspected image."},{"name":"y","type":"double","doc":"Upper edge of the box, pixels."},{"name":"width","type":"double","doc":"Width of the box, pixels."},{"name":"height","type":"double","doc":"Height of the box, pixels."},{"name":"confidence","type":"double","doc":"0 to 1."},{"name":"second_opinion","type":["null",{"type":"record","name":"SecondOpinion","namespace":"chipquality","doc":"What a classifier says of a defect, having seen the board around its box only. It changes neither type nor severity nor verdict.","fields":[{"name":"label","type":"string","doc":"One of the detector's labels, or background: nothing is wrong there."},{"name":"defect_type","type":["null","string"],"doc":"Platform type of the label; null for background.","default":null},{"name":"probability","type":"double","doc":"0 to 1."},{"name":"disagrees","type":"boolean","doc":"Whether its label is another one than the detector's: the defect is for a person to look at."}]}],"doc":"Null: nobody was asked.","default":null}]},
  IdempotencyEntry: {"type":"record","name":"IdempotencyEntry","namespace":"chipquality","doc":"State of one idempotency key (store `idempotency`).","fields":[{"name":"request_id","type":"string","doc":"The request that waits for, or got, the first answer."},{"name":"command_id","type":"string","doc":"Command that was sent."},{"name":"operation","type":"string","doc":"As in ApiRequest."},{"name":"resource_id","type":"string","doc":"As in ApiRequest."},{"name":"payload_hash","type":"string","doc":"As in ApiRequest."},{"name":"subject","type":"string","doc":"As in ApiRequest."},{"name":"traceparent","type":"string","doc":"As in ApiRequest.","default":""},{"name":"payload","type":"string","doc":"Kept until the answer is there, so that the very same command can be sent again; then empty.","default":""},{"name":"issued_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Receipt of the first request, epoch milliseconds."},{"name":"dispatched_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Receipt of the request that last sent the command, epoch milliseconds."},{"name":"status","type":["null","int"],"doc":"HTTP status of the stored answer; null while in flight.","default":null},{"name":"body","type":"string","doc":"Stored answer; empty while in flight.","default":""}]},
  InferenceEvent: {"type":"record","name":"InferenceEvent","namespace":"chipquality","doc":"Topic inference.workflow, key inspection_id.","fields":[{"name":"event_id","type":"string","doc":"UUIDv5 of the input record (topic, partition, offset, index): the same event has the same id after a redelivery."},{"name":"event_type","type":"string","doc":"One of: inference.requested, inference.completed, inference.failed."},{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When it happened, epoch milliseconds."},{"name":"trace_id","type":"string","doc":"W3C trace context (`traceparent`) of the request that caused it; empty when there was none.","default":""},{"name":"tenant_id","type":"string","doc":"The tenant that owns the resource."},{"name":"payload","type":{"type":"record","name":"InferencePayload","namespace":"chipquality","doc":"One attempt to judge one inspection.","fields":[{"name":"job_id","type":"string","doc":"UUIDv5 of the command that asked for it."},{"name":"inspection_id","type":"string","doc":"UUID of the inspection."},{"name":"attempt","type":"int","doc":"1 for the first attempt on the inspection."},{"name":"model_name","type":"string","doc":"Model that was asked for."},{"name":"artifacts","type":{"type":"array","items":{"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]}},"doc":"Confirmed image artifacts, oldest first; the last one is judged."},{"name":"golden","type":["null","chipquality.ArtifactRef"],"doc":"Golden image of the part, null where it has none.","default":null},{"name":"batch_size","type":"int","doc":"As the client asked: no batch with this board is larger, 1 to 32.","default":32},{"name":"confidence_threshold","type":["null","double"],"doc":"As the client asked; null: the model's own.","default":null},{"name":"priority","type":"string","doc":"low, normal or high.","default":"normal"},{"name":"requested_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When the attempt was requested, epoch milliseconds."},{"name":"results","type":["null",{"type":"record","name":"InferenceResults","namespace":"chipquality","doc":"What a detector answered.","fields":[{"name":"model_version","type":"string","doc":"Version of the model that answered."},{"name":"defects","type":{"type":"array","items":{"type":"record","name":"Defect","namespace":"chipquality","doc":"One defect that the detector found on a board.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of the job id and the position in the result."},{"name":"defect_type","type":"string","doc":"Platform type: scratch, void, contamination, misalignment, short or open."},{"name":"label","type":"string","doc":"The model's own label."},{"name":"severity","type":"string","doc":"low, medium, high or critical."},{"name":"x","type":"double","doc":"Left edge of the box, pixels of the inspected image."},{"name":"y","type":"double","doc":"Upper edge of the box, pixels."},{"name":"width","type":"double","doc":"Width of the box, pixels."},{"name":"height","type":"double","doc":"Height of the box, pixels."},{"name":"confidence","type":"double","doc":"0 to 1."},{"name":"second_opinion","type":["null",{"type":"record","name":"SecondOpinion","namespace":"chipquality","doc":"What a classifier says of a defect, having seen the board around its box only. It changes neither type nor severity nor verdict.","fields":[{"name":"label","type":"string","doc":"One of the detector's labels, or background: nothing is wrong there."},{"name":"defect_type","type":["null","string"],"doc":"Platform type of the label; null for background.","default":null},{"name":"probability","type":"double","doc":"0 to 1."},{"name":"disagrees","type":"boolean","doc":"Whether its label is another one than the detector's: the defect is for a person to look at."}]}],"doc":"Null: nobody was asked.","default":null}]}},"doc":"Detections at or above the threshold, by falling confidence."},{"name":"confidence_score","type":["null","double"],"doc":"Highest confidence; null without detections.","default":null},{"name":"confidence_threshold","type":"double","doc":"Threshold that was applied."},{"name":"processing_time_ms","type":"int","doc":"Time of the batch in the detector, milliseconds."},{"name":"defects_detected","type":"int","doc":"Number of defects."},{"name":"batch_size","type":"int","doc":"Boards that were judged in the same batch.","default":1}]}],"doc":"On inference.completed.","default":null},{"name":"failure","type":["null",{"type":"record","name":"InferenceFailure","namespace":"chipquality","doc":"Why an inference gave no result.","fields":[{"name":"reason","type":"string","doc":"Machine-readable, e.g. invalid_image:not-an-image, object_not_found, object_store_unavailable, inference_failed."},{"name":"detail","type":"string","doc":"A sentence for people."}]}],"doc":"On inference.failed.","default":null}]},"doc":"What happened."}]},
  InferenceFailure: {"type":"record","name":"InferenceFailure","namespace":"chipquality","doc":"Why an inference gave no result.","fields":[{"name":"reason","type":"string","doc":"Machine-readable, e.g. invalid_image:not-an-image, object_not_found, object_store_unavailable, inference_failed."},{"name":"detail","type":"string","doc":"A sentence for people."}]},
  InferencePayload: {"type":"record","name":"InferencePayload","namespace":"chipquality","doc":"One attempt to judge one inspection.","fields":[{"name":"job_id","type":"string","doc":"UUIDv5 of the command that asked for it."},{"name":"inspection_id","type":"string","doc":"UUID of the inspection."},{"name":"attempt","type":"int","doc":"1 for the first attempt on the inspection."},{"name":"model_name","type":"string","doc":"Model that was asked for."},{"name":"artifacts","type":{"type":"array","items":{"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]}},"doc":"Confirmed image artifacts, oldest first; the last one is judged."},{"name":"golden","type":["null","chipquality.ArtifactRef"],"doc":"Golden image of the part, null where it has none.","default":null},{"name":"batch_size","type":"int","doc":"As the client asked: no batch with this board is larger, 1 to 32.","default":32},{"name":"confidence_threshold","type":["null","double"],"doc":"As the client asked; null: the model's own.","default":null},{"name":"priority","type":"string","doc":"low, normal or high.","default":"normal"},{"name":"requested_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When the attempt was requested, epoch milliseconds."},{"name":"results","type":["null",{"type":"record","name":"InferenceResults","namespace":"chipquality","doc":"What a detector answered.","fields":[{"name":"model_version","type":"string","doc":"Version of the model that answered."},{"name":"defects","type":{"type":"array","items":{"type":"record","name":"Defect","namespace":"chipquality","doc":"One defect that the detector found on a board.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of the job id and the position in the result."},{"name":"defect_type","type":"string","doc":"Platform type: scratch, void, contamination, misalignment, short or open."},{"name":"label","type":"string","doc":"The model's own label."},{"name":"severity","type":"string","doc":"low, medium, high or critical."},{"name":"x","type":"double","doc":"Left edge of the box, pixels of the inspected image."},{"name":"y","type":"double","doc":"Upper edge of the box, pixels."},{"name":"width","type":"double","doc":"Width of the box, pixels."},{"name":"height","type":"double","doc":"Height of the box, pixels."},{"name":"confidence","type":"double","doc":"0 to 1."},{"name":"second_opinion","type":["null",{"type":"record","name":"SecondOpinion","namespace":"chipquality","doc":"What a classifier says of a defect, having seen the board around its box only. It changes neither type nor severity nor verdict.","fields":[{"name":"label","type":"string","doc":"One of the detector's labels, or background: nothing is wrong there."},{"name":"defect_type","type":["null","string"],"doc":"Platform type of the label; null for background.","default":null},{"name":"probability","type":"double","doc":"0 to 1."},{"name":"disagrees","type":"boolean","doc":"Whether its label is another one than the detector's: the defect is for a person to look at."}]}],"doc":"Null: nobody was asked.","default":null}]}},"doc":"Detections at or above the threshold, by falling confidence."},{"name":"confidence_score","type":["null","double"],"doc":"Highest confidence; null without detections.","default":null},{"name":"confidence_threshold","type":"double","doc":"Threshold that was applied."},{"name":"processing_time_ms","type":"int","doc":"Time of the batch in the detector, milliseconds."},{"name":"defects_detected","type":"int","doc":"Number of defects."},{"name":"batch_size","type":"int","doc":"Boards that were judged in the same batch.","default":1}]}],"doc":"On inference.completed.","default":null},{"name":"failure","type":["null",{"type":"record","name":"InferenceFailure","namespace":"chipquality","doc":"Why an inference gave no result.","fields":[{"name":"reason","type":"string","doc":"Machine-readable, e.g. invalid_image:not-an-image, object_not_found, object_store_unavailable, inference_failed."},{"name":"detail","type":"string","doc":"A sentence for people."}]}],"doc":"On inference.failed.","default":null}]},
  InferenceResults: {"type":"record","name":"InferenceResults","namespace":"chipquality","doc":"What a detector answered.","fields":[{"name":"model_version","type":"string","doc":"Version of the model that answered."},{"name":"defects","type":{"type":"array","items":{"type":"record","name":"Defect","namespace":"chipquality","doc":"One defect that the detector found on a board.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of the job id and the position in the result."},{"name":"defect_type","type":"string","doc":"Platform type: scratch, void, contamination, misalignment, short or open."},{"name":"label","type":"string","doc":"The model's own label."},{"name":"severity","type":"string","doc":"low, medium, high or critical."},{"name":"x","type":"double","doc":"Left edge of the box, pixels of the inspected image."},{"name":"y","type":"double","doc":"Upper edge of the box, pixels."},{"name":"width","type":"double","doc":"Width of the box, pixels."},{"name":"height","type":"double","doc":"Height of the box, pixels."},{"name":"confidence","type":"double","doc":"0 to 1."},{"name":"second_opinion","type":["null",{"type":"record","name":"SecondOpinion","namespace":"chipquality","doc":"What a classifier says of a defect, having seen the board around its box only. It changes neither type nor severity nor verdict.","fields":[{"name":"label","type":"string","doc":"One of the detector's labels, or background: nothing is wrong there."},{"name":"defect_type","type":["null","string"],"doc":"Platform type of the label; null for background.","default":null},{"name":"probability","type":"double","doc":"0 to 1."},{"name":"disagrees","type":"boolean","doc":"Whether its label is another one than the detector's: the defect is for a person to look at."}]}],"doc":"Null: nobody was asked.","default":null}]}},"doc":"Detections at or above the threshold, by falling confidence."},{"name":"confidence_score","type":["null","double"],"doc":"Highest confidence; null without detections.","default":null},{"name":"confidence_threshold","type":"double","doc":"Threshold that was applied."},{"name":"processing_time_ms","type":"int","doc":"Time of the batch in the detector, milliseconds."},{"name":"defects_detected","type":"int","doc":"Number of defects."},{"name":"batch_size","type":"int","doc":"Boards that were judged in the same batch.","default":1}]},
  InspectionAttempt: {"type":"record","name":"InspectionAttempt","namespace":"chipquality","doc":"One inference attempt and the command that asked for it.","fields":[{"name":"attempt","type":"int","doc":"1 for the first."},{"name":"job_id","type":"string","doc":"UUIDv5 of the command."},{"name":"command_id","type":"string","doc":"Command that asked."},{"name":"origin_offset","type":"long","doc":"Offset of that command."},{"name":"requested_revision","type":"long","doc":"Revision that the request made."},{"name":"requested_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"estimated_completion","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"As answered to the client, epoch milliseconds."},{"name":"model_name","type":"string","doc":"Model that was asked for."},{"name":"finished_revision","type":["null","long"],"doc":"Revision that the result made; null while running.","default":null},{"name":"finished_offset","type":["null","long"],"doc":"Offset of the inference event that ended it: only that very record may announce the result again.","default":null},{"name":"finished_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"doc":"Epoch milliseconds.","default":null},{"name":"model_version","type":["null","string"],"doc":"Version that judged.","default":null},{"name":"verdict","type":["null","string"],"doc":"pass or fail; null while running or when the inference failed.","default":null},{"name":"failure_reason","type":["null","string"],"doc":"Why the inference failed.","default":null},{"name":"defects","type":{"type":"array","items":{"type":"record","name":"Defect","namespace":"chipquality","doc":"One defect that the detector found on a board.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of the job id and the position in the result."},{"name":"defect_type","type":"string","doc":"Platform type: scratch, void, contamination, misalignment, short or open."},{"name":"label","type":"string","doc":"The model's own label."},{"name":"severity","type":"string","doc":"low, medium, high or critical."},{"name":"x","type":"double","doc":"Left edge of the box, pixels of the inspected image."},{"name":"y","type":"double","doc":"Upper edge of the box, pixels."},{"name":"width","type":"double","doc":"Width of the box, pixels."},{"name":"height","type":"double","doc":"Height of the box, pixels."},{"name":"confidence","type":"double","doc":"0 to 1."},{"name":"second_opinion","type":["null",{"type":"record","name":"SecondOpinion","namespace":"chipquality","doc":"What a classifier says of a defect, having seen the board around its box only. It changes neither type nor severity nor verdict.","fields":[{"name":"label","type":"string","doc":"One of the detector's labels, or background: nothing is wrong there."},{"name":"defect_type","type":["null","string"],"doc":"Platform type of the label; null for background.","default":null},{"name":"probability","type":"double","doc":"0 to 1."},{"name":"disagrees","type":"boolean","doc":"Whether its label is another one than the detector's: the defect is for a person to look at."}]}],"doc":"Null: nobody was asked.","default":null}]}},"doc":"What was found.","default":[]}]},
  InspectionEvent: {"type":"record","name":"InspectionEvent","namespace":"chipquality","doc":"Topic inspection.lifecycle, key inspection_id.","fields":[{"name":"event_id","type":"string","doc":"UUIDv5 of the input record (topic, partition, offset, index): the same event has the same id after a redelivery."},{"name":"event_type","type":"string","doc":"One of: inspection.created, inspection.updated, inspection.completed, inspection.failed."},{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When it happened, epoch milliseconds."},{"name":"trace_id","type":"string","doc":"W3C trace context (`traceparent`) of the request that caused it; empty when there was none.","default":""},{"name":"tenant_id","type":"string","doc":"The tenant that owns the resource."},{"name":"payload","type":{"type":"record","name":"InspectionPayload","namespace":"chipquality","doc":"An inspection as of one revision, with all that yield, the live page and SQL need.","fields":[{"name":"inspection_id","type":"string","doc":"UUIDv5 of tenant, lot, chip and inspection type."},{"name":"revision","type":"long","doc":"Grows with every change of the inspection: the higher one is the newer state."},{"name":"lot_id","type":"string","doc":"UUID of the lot."},{"name":"part_id","type":"string","doc":"UUID of the part."},{"name":"chip_id","type":"string","doc":"Serial of the board or chip, unique in its lot."},{"name":"inspection_type","type":"string","doc":"visual, electrical, thermal, mechanical or dimensional."},{"name":"status","type":"string","doc":"pending, in_progress, completed or failed."},{"name":"verdict","type":["null","string"],"doc":"pass or fail; null until completed.","default":null},{"name":"priority","type":"int","doc":"1 (low) to 10 (critical).","default":5},{"name":"priority_band","type":"string","doc":"low (1-3), normal (4-6), high (7-8) or critical (9-10).","default":"normal"},{"name":"station_id","type":["null","string"],"doc":"Test station.","default":null},{"name":"line_id","type":["null","string"],"doc":"Production line.","default":null},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"},{"name":"attempt","type":"int","doc":"Number of inference attempts so far; first-pass yield counts attempt 1 only.","default":0},{"name":"job_id","type":["null","string"],"doc":"The inference job of this attempt.","default":null},{"name":"model_name","type":["null","string"],"doc":"The model that judged.","default":null},{"name":"model_version","type":["null","string"],"doc":"Its version.","default":null},{"name":"failure_reason","type":["null","string"],"doc":"Why the inference failed, e.g. invalid_image:corrupt; null otherwise.","default":null},{"name":"defects","type":{"type":"array","items":{"type":"record","name":"Defect","namespace":"chipquality","doc":"One defect that the detector found on a board.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of the job id and the position in the result."},{"name":"defect_type","type":"string","doc":"Platform type: scratch, void, contamination, misalignment, short or open."},{"name":"label","type":"string","doc":"The model's own label."},{"name":"severity","type":"string","doc":"low, medium, high or critical."},{"name":"x","type":"double","doc":"Left edge of the box, pixels of the inspected image."},{"name":"y","type":"double","doc":"Upper edge of the box, pixels."},{"name":"width","type":"double","doc":"Width of the box, pixels."},{"name":"height","type":"double","doc":"Height of the box, pixels."},{"name":"confidence","type":"double","doc":"0 to 1."},{"name":"second_opinion","type":["null",{"type":"record","name":"SecondOpinion","namespace":"chipquality","doc":"What a classifier says of a defect, having seen the board around its box only. It changes neither type nor severity nor verdict.","fields":[{"name":"label","type":"string","doc":"One of the detector's labels, or background: nothing is wrong there."},{"name":"defect_type","type":["null","string"],"doc":"Platform type of the label; null for background.","default":null},{"name":"probability","type":"double","doc":"0 to 1."},{"name":"disagrees","type":"boolean","doc":"Whether its label is another one than the detector's: the defect is for a person to look at."}]}],"doc":"Null: nobody was asked.","default":null}]}},"doc":"What was found; empty until completed.","default":[]},{"name":"artifact_ids","type":{"type":"array","items":"string"},"doc":"Confirmed image artifacts, oldest first.","default":[]},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"started_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"doc":"When this attempt was requested.","default":null},{"name":"completed_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"doc":"When this attempt ended, well or badly.","default":null},{"name":"origin_partition","type":"int","doc":"Partition of the input record that caused the event.","default":-1},{"name":"origin_offset","type":"long","doc":"Offset of the input record that caused the event: an aggregate that has counted it ignores a repetition.","default":-1}]},"doc":"What happened."}]},
  InspectionPayload: {"type":"record","name":"InspectionPayload","namespace":"chipquality","doc":"An inspection as of one revision, with all that yield, the live page and SQL need.","fields":[{"name":"inspection_id","type":"string","doc":"UUIDv5 of tenant, lot, chip and inspection type."},{"name":"revision","type":"long","doc":"Grows with every change of the inspection: the higher one is the newer state."},{"name":"lot_id","type":"string","doc":"UUID of the lot."},{"name":"part_id","type":"string","doc":"UUID of the part."},{"name":"chip_id","type":"string","doc":"Serial of the board or chip, unique in its lot."},{"name":"inspection_type","type":"string","doc":"visual, electrical, thermal, mechanical or dimensional."},{"name":"status","type":"string","doc":"pending, in_progress, completed or failed."},{"name":"verdict","type":["null","string"],"doc":"pass or fail; null until completed.","default":null},{"name":"priority","type":"int","doc":"1 (low) to 10 (critical).","default":5},{"name":"priority_band","type":"string","doc":"low (1-3), normal (4-6), high (7-8) or critical (9-10).","default":"normal"},{"name":"station_id","type":["null","string"],"doc":"Test station.","default":null},{"name":"line_id","type":["null","string"],"doc":"Production line.","default":null},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"},{"name":"attempt","type":"int","doc":"Number of inference attempts so far; first-pass yield counts attempt 1 only.","default":0},{"name":"job_id","type":["null","string"],"doc":"The inference job of this attempt.","default":null},{"name":"model_name","type":["null","string"],"doc":"The model that judged.","default":null},{"name":"model_version","type":["null","string"],"doc":"Its version.","default":null},{"name":"failure_reason","type":["null","string"],"doc":"Why the inference failed, e.g. invalid_image:corrupt; null otherwise.","default":null},{"name":"defects","type":{"type":"array","items":{"type":"record","name":"Defect","namespace":"chipquality","doc":"One defect that the detector found on a board.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of the job id and the position in the result."},{"name":"defect_type","type":"string","doc":"Platform type: scratch, void, contamination, misalignment, short or open."},{"name":"label","type":"string","doc":"The model's own label."},{"name":"severity","type":"string","doc":"low, medium, high or critical."},{"name":"x","type":"double","doc":"Left edge of the box, pixels of the inspected image."},{"name":"y","type":"double","doc":"Upper edge of the box, pixels."},{"name":"width","type":"double","doc":"Width of the box, pixels."},{"name":"height","type":"double","doc":"Height of the box, pixels."},{"name":"confidence","type":"double","doc":"0 to 1."},{"name":"second_opinion","type":["null",{"type":"record","name":"SecondOpinion","namespace":"chipquality","doc":"What a classifier says of a defect, having seen the board around its box only. It changes neither type nor severity nor verdict.","fields":[{"name":"label","type":"string","doc":"One of the detector's labels, or background: nothing is wrong there."},{"name":"defect_type","type":["null","string"],"doc":"Platform type of the label; null for background.","default":null},{"name":"probability","type":"double","doc":"0 to 1."},{"name":"disagrees","type":"boolean","doc":"Whether its label is another one than the detector's: the defect is for a person to look at."}]}],"doc":"Null: nobody was asked.","default":null}]}},"doc":"What was found; empty until completed.","default":[]},{"name":"artifact_ids","type":{"type":"array","items":"string"},"doc":"Confirmed image artifacts, oldest first.","default":[]},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"started_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"doc":"When this attempt was requested.","default":null},{"name":"completed_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"doc":"When this attempt ended, well or badly.","default":null},{"name":"origin_partition","type":"int","doc":"Partition of the input record that caused the event.","default":-1},{"name":"origin_offset","type":"long","doc":"Offset of the input record that caused the event: an aggregate that has counted it ignores a repetition.","default":-1}]},
  InspectionState: {"type":"record","name":"InspectionState","namespace":"chipquality","doc":"State of one inspection (store `inspections`).","fields":[{"name":"id","type":"string","doc":"inspection_id."},{"name":"tenant_id","type":"string","doc":"Owner."},{"name":"lot_id","type":"string","doc":"UUID of the lot."},{"name":"part_id","type":"string","doc":"UUID of the part."},{"name":"chip_id","type":"string","doc":"Chip."},{"name":"inspection_type","type":"string","doc":"As in InspectionPayload."},{"name":"priority","type":"int","doc":"1 to 10.","default":5},{"name":"station_id","type":["null","string"],"doc":"Test station.","default":null},{"name":"line_id","type":["null","string"],"doc":"Production line.","default":null},{"name":"metadata","type":"string","doc":"JSON object in a string.","default":"{}"},{"name":"command_id","type":"string","doc":"Command that created it."},{"name":"origin_offset","type":"long","doc":"Offset of that command."},{"name":"traceparent","type":"string","doc":"Trace context of the last command.","default":""},{"name":"revision","type":"long","doc":"Number of changes so far."},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"artifacts","type":{"type":"array","items":{"type":"record","name":"ConfirmedArtifact","namespace":"chipquality","doc":"An artifact of an inspection and the command that confirmed it.","fields":[{"name":"artifact","type":{"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]},"doc":"The object."},{"name":"command_id","type":"string","doc":"Command that confirmed it."},{"name":"origin_offset","type":"long","doc":"Offset of that command."},{"name":"confirmed_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."}]}},"doc":"Oldest first.","default":[]},{"name":"attempts","type":{"type":"array","items":{"type":"record","name":"InspectionAttempt","namespace":"chipquality","doc":"One inference attempt and the command that asked for it.","fields":[{"name":"attempt","type":"int","doc":"1 for the first."},{"name":"job_id","type":"string","doc":"UUIDv5 of the command."},{"name":"command_id","type":"string","doc":"Command that asked."},{"name":"origin_offset","type":"long","doc":"Offset of that command."},{"name":"requested_revision","type":"long","doc":"Revision that the request made."},{"name":"requested_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"estimated_completion","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"As answered to the client, epoch milliseconds."},{"name":"model_name","type":"string","doc":"Model that was asked for."},{"name":"finished_revision","type":["null","long"],"doc":"Revision that the result made; null while running.","default":null},{"name":"finished_offset","type":["null","long"],"doc":"Offset of the inference event that ended it: only that very record may announce the result again.","default":null},{"name":"finished_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"doc":"Epoch milliseconds.","default":null},{"name":"model_version","type":["null","string"],"doc":"Version that judged.","default":null},{"name":"verdict","type":["null","string"],"doc":"pass or fail; null while running or when the inference failed.","default":null},{"name":"failure_reason","type":["null","string"],"doc":"Why the inference failed.","default":null},{"name":"defects","type":{"type":"array","items":{"type":"record","name":"Defect","namespace":"chipquality","doc":"One defect that the detector found on a board.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of the job id and the position in the result."},{"name":"defect_type","type":"string","doc":"Platform type: scratch, void, contamination, misalignment, short or open."},{"name":"label","type":"string","doc":"The model's own label."},{"name":"severity","type":"string","doc":"low, medium, high or critical."},{"name":"x","type":"double","doc":"Left edge of the box, pixels of the inspected image."},{"name":"y","type":"double","doc":"Upper edge of the box, pixels."},{"name":"width","type":"double","doc":"Width of the box, pixels."},{"name":"height","type":"double","doc":"Height of the box, pixels."},{"name":"confidence","type":"double","doc":"0 to 1."},{"name":"second_opinion","type":["null",{"type":"record","name":"SecondOpinion","namespace":"chipquality","doc":"What a classifier says of a defect, having seen the board around its box only. It changes neither type nor severity nor verdict.","fields":[{"name":"label","type":"string","doc":"One of the detector's labels, or background: nothing is wrong there."},{"name":"defect_type","type":["null","string"],"doc":"Platform type of the label; null for background.","default":null},{"name":"probability","type":"double","doc":"0 to 1."},{"name":"disagrees","type":"boolean","doc":"Whether its label is another one than the detector's: the defect is for a person to look at."}]}],"doc":"Null: nobody was asked.","default":null}]}},"doc":"What was found.","default":[]}]}},"doc":"Oldest first; the last is the current one.","default":[]},{"name":"rejections","type":{"type":"array","items":{"type":"record","name":"Rejection","namespace":"chipquality","doc":"A command that an actor refused: a redelivery is refused with the same words, whatever has changed since.","fields":[{"name":"command_id","type":"string","doc":"The command."},{"name":"status","type":"int","doc":"HTTP status."},{"name":"body","type":"string","doc":"Problem details as a JSON object in a string."}]}},"doc":"The last refused commands.","default":[]}]},
  LineYieldEvent: {"type":"record","name":"LineYieldEvent","namespace":"chipquality","doc":"Topic line.yield, key `tenant|line`.","fields":[{"name":"event_id","type":"string","doc":"UUIDv5 of the input record (topic, partition, offset, index): the same event has the same id after a redelivery."},{"name":"event_type","type":"string","doc":"One of: line.yield."},{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When it happened, epoch milliseconds."},{"name":"trace_id","type":"string","doc":"W3C trace context (`traceparent`) of the request that caused it; empty when there was none.","default":""},{"name":"tenant_id","type":"string","doc":"The tenant that owns the resource."},{"name":"payload","type":{"type":"record","name":"LineYieldPayload","namespace":"chipquality","doc":"First-pass results of one line in one window. Every update of a window replaces the one before.","fields":[{"name":"line_id","type":"string","doc":"Production line; `unassigned` for inspections without one."},{"name":"window_start","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Inclusive, epoch milliseconds."},{"name":"window_end","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Exclusive, epoch milliseconds."},{"name":"inspected","type":"int","doc":"First attempts with a verdict."},{"name":"passed","type":"int","doc":"Of those: pass."},{"name":"failed","type":"int","doc":"Of those: fail."},{"name":"errored","type":"int","doc":"First attempts whose inference failed: no verdict, not in `inspected`."},{"name":"first_pass_yield","type":["null","double"],"doc":"passed / inspected; null where no board got a verdict.","default":null},{"name":"defects","type":{"type":"map","values":"int"},"doc":"Defects found on first attempts, by platform type.","default":{}}]},"doc":"What happened."}]},
  LineYieldPayload: {"type":"record","name":"LineYieldPayload","namespace":"chipquality","doc":"First-pass results of one line in one window. Every update of a window replaces the one before.","fields":[{"name":"line_id","type":"string","doc":"Production line; `unassigned` for inspections without one."},{"name":"window_start","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Inclusive, epoch milliseconds."},{"name":"window_end","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Exclusive, epoch milliseconds."},{"name":"inspected","type":"int","doc":"First attempts with a verdict."},{"name":"passed","type":"int","doc":"Of those: pass."},{"name":"failed","type":"int","doc":"Of those: fail."},{"name":"errored","type":"int","doc":"First attempts whose inference failed: no verdict, not in `inspected`."},{"name":"first_pass_yield","type":["null","double"],"doc":"passed / inspected; null where no board got a verdict.","default":null},{"name":"defects","type":{"type":"map","values":"int"},"doc":"Defects found on first attempts, by platform type.","default":{}}]},
  LineYieldState: {"type":"record","name":"LineYieldState","namespace":"chipquality","doc":"Aggregate of one line and window.","fields":[{"name":"inspected","type":"int","doc":"As in LineYieldPayload."},{"name":"passed","type":"int","doc":"As in LineYieldPayload."},{"name":"failed","type":"int","doc":"As in LineYieldPayload."},{"name":"errored","type":"int","doc":"As in LineYieldPayload."},{"name":"defects","type":{"type":"map","values":"int"},"doc":"As in LineYieldPayload.","default":{}},{"name":"trace_id","type":"string","doc":"Trace of the last counted event.","default":""},{"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Time of the last counted event, epoch milliseconds."},{"name":"counted","type":{"type":"array","items":{"type":"record","name":"YieldSource","namespace":"chipquality","doc":"How far one input partition has been counted in a window.","fields":[{"name":"partition","type":"int","doc":"Origin partition of the lifecycle event."},{"name":"offset","type":"long","doc":"Highest origin offset counted."}]}},"doc":"Makes counting idempotent: origin offsets ascend within a partition, so a repetition is never above its mark.","default":[]}]},
  Lot: {"type":"record","name":"Lot","namespace":"chipquality","doc":"A production batch of one part.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of tenant and lot number."},{"name":"lot_number","type":"string","doc":"The customer's number."},{"name":"part_id","type":"string","doc":"UUID of the part."},{"name":"quantity","type":"int","doc":"Planned number of boards."},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."}]},
  ModelCandidate: {"type":"record","name":"ModelCandidate","namespace":"chipquality","doc":"A version of a model that is tried beside the one in production.","fields":[{"name":"version","type":"string","doc":"Folder of the version in the model repository."},{"name":"mode","type":"string","doc":"split: judges its share of the inspections instead of production. shadow: sees them too, its answers are only compared and counted."},{"name":"share","type":"double","doc":"Share of the inspections, above 0 to 1, chosen by a stable hash of the inspection id."},{"name":"suspended_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"doc":"Since when it judges no more because it went on failing, epoch milliseconds; null while it is tried.","default":null}]},
  ModelDeploymentState: {"type":"record","name":"ModelDeploymentState","namespace":"chipquality","doc":"State of one model's deployment (store `model-deployments`), key model name.","fields":[{"name":"deployment","type":{"type":"record","name":"ModelDeployment","namespace":"chipquality","doc":"Which versions of a model judge. Compacted topic model.deployments, key model name: every instance follows it.","fields":[{"name":"model_name","type":"string","doc":"Folder of the model in the model repository."},{"name":"revision","type":"long","doc":"Grows by one with each change."},{"name":"production","type":"string","doc":"Version that judges."},{"name":"candidate","type":["null",{"type":"record","name":"ModelCandidate","namespace":"chipquality","doc":"A version of a model that is tried beside the one in production.","fields":[{"name":"version","type":"string","doc":"Folder of the version in the model repository."},{"name":"mode","type":"string","doc":"split: judges its share of the inspections instead of production. shadow: sees them too, its answers are only compared and counted."},{"name":"share","type":"double","doc":"Share of the inspections, above 0 to 1, chosen by a stable hash of the inspection id."},{"name":"suspended_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"doc":"Since when it judges no more because it went on failing, epoch milliseconds; null while it is tried.","default":null}]}],"doc":"Version on trial; null without one.","default":null},{"name":"history","type":{"type":"array","items":"string"},"doc":"Versions that were in production before, newest last: where rollbacks lead.","default":[]},{"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When the change was asked for, epoch milliseconds."},{"name":"updated_by","type":"string","doc":"JWT subject of who asked for it."},{"name":"trace_id","type":"string","doc":"W3C trace context (`traceparent`) of the request; empty when there was none.","default":""}]},"doc":"What is deployed."},{"name":"answers","type":{"type":"array","items":{"type":"record","name":"Rejection","namespace":"chipquality","doc":"A command that an actor refused: a redelivery is refused with the same words, whatever has changed since.","fields":[{"name":"command_id","type":"string","doc":"The command."},{"name":"status","type":"int","doc":"HTTP status."},{"name":"body","type":"string","doc":"Problem details as a JSON object in a string."}]}},"doc":"Answers to the last commands, refused or not: a redelivered command gets the same one and changes nothing.","default":[]}]},
  ModelDeployment: {"type":"record","name":"ModelDeployment","namespace":"chipquality","doc":"Which versions of a model judge. Compacted topic model.deployments, key model name: every instance follows it.","fields":[{"name":"model_name","type":"string","doc":"Folder of the model in the model repository."},{"name":"revision","type":"long","doc":"Grows by one with each change."},{"name":"production","type":"string","doc":"Version that judges."},{"name":"candidate","type":["null",{"type":"record","name":"ModelCandidate","namespace":"chipquality","doc":"A version of a model that is tried beside the one in production.","fields":[{"name":"version","type":"string","doc":"Folder of the version in the model repository."},{"name":"mode","type":"string","doc":"split: judges its share of the inspections instead of production. shadow: sees them too, its answers are only compared and counted."},{"name":"share","type":"double","doc":"Share of the inspections, above 0 to 1, chosen by a stable hash of the inspection id."},{"name":"suspended_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"doc":"Since when it judges no more because it went on failing, epoch milliseconds; null while it is tried.","default":null}]}],"doc":"Version on trial; null without one.","default":null},{"name":"history","type":{"type":"array","items":"string"},"doc":"Versions that were in production before, newest last: where rollbacks lead.","default":[]},{"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When the change was asked for, epoch milliseconds."},{"name":"updated_by","type":"string","doc":"JWT subject of who asked for it."},{"name":"trace_id","type":"string","doc":"W3C trace context (`traceparent`) of the request; empty when there was none.","default":""}]},
  Part: {"type":"record","name":"Part","namespace":"chipquality","doc":"A product type that boards are made of.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of tenant and part number."},{"name":"part_number","type":"string","doc":"The customer's number."},{"name":"part_type","type":"string","doc":"E.g. pcb."},{"name":"description","type":["null","string"],"doc":"Free text.","default":null},{"name":"golden","type":["null",{"type":"record","name":"ArtifactRef","namespace":"chipquality","doc":"A confirmed object in the object store.","fields":[{"name":"artifact_id","type":"string","doc":"UUID."},{"name":"filename","type":"string","doc":"As the client named it; never part of the storage path."},{"name":"storage_path","type":"string","doc":"Key in the bucket."},{"name":"content_type","type":"string","doc":"Media type, e.g. image/jpeg."},{"name":"size_bytes","type":"long","doc":"Size that the object store reported at confirmation."},{"name":"checksum","type":"string","doc":"Hex digest (MD5 or SHA-256) of the content at confirmation; empty when unknown.","default":""},{"name":"artifact_type","type":"string","doc":"image, measurement, log or video.","default":"image"},{"name":"metadata","type":"string","doc":"Free-form client facts as a JSON object in a string.","default":"{}"}]}],"doc":"Image of a defect-free board.","default":null},{"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Epoch milliseconds."},{"name":"revision","type":"long","doc":"Grows with every change.","default":1}]},
  Rejection: {"type":"record","name":"Rejection","namespace":"chipquality","doc":"A command that an actor refused: a redelivery is refused with the same words, whatever has changed since.","fields":[{"name":"command_id","type":"string","doc":"The command."},{"name":"status","type":"int","doc":"HTTP status."},{"name":"body","type":"string","doc":"Problem details as a JSON object in a string."}]},
  SecondOpinion: {"type":"record","name":"SecondOpinion","namespace":"chipquality","doc":"What a classifier says of a defect, having seen the board around its box only. It changes neither type nor severity nor verdict.","fields":[{"name":"label","type":"string","doc":"One of the detector's labels, or background: nothing is wrong there."},{"name":"defect_type","type":["null","string"],"doc":"Platform type of the label; null for background.","default":null},{"name":"probability","type":"double","doc":"0 to 1."},{"name":"disagrees","type":"boolean","doc":"Whether its label is another one than the detector's: the defect is for a person to look at."}]},
  YieldSource: {"type":"record","name":"YieldSource","namespace":"chipquality","doc":"How far one input partition has been counted in a window.","fields":[{"name":"partition","type":"int","doc":"Origin partition of the lifecycle event."},{"name":"offset","type":"long","doc":"Highest origin offset counted."}]},
};
