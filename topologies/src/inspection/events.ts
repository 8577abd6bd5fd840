import {
  type ArtifactEvent,
  type ArtifactRef,
  type InferenceEvent,
  type InspectionAttempt,
  type InspectionEvent,
  type InspectionState,
  priorityBand,
} from '@chip-quality/schemas';
import { type Origin, originEventId } from '../actor/origin.ts';
import { statusOf } from '../views.ts';

/** An event and the sink it goes to. */
export type InspectionOutput =
  | { readonly sink: 'lifecycle'; readonly event: InspectionEvent }
  | { readonly sink: 'artifacts'; readonly event: ArtifactEvent }
  | { readonly sink: 'inference'; readonly event: InferenceEvent };

/** Where an inspection stood at one revision: what an event of that revision says, also when it is emitted again later. */
interface Moment {
  readonly type: 'inspection.created' | 'inspection.updated' | 'inspection.completed' | 'inspection.failed';
  readonly revision: number;
  readonly timestamp: number;
  readonly attempt: InspectionAttempt | undefined;
  readonly trace: string;
}

/** Images that an inspection had confirmed when the command at `beforeOffset` came, oldest first. */
export function imagesBefore(state: InspectionState, beforeOffset: number): ArtifactRef[] {
  return state.artifacts
    .filter(({ origin_offset, artifact }) => origin_offset < beforeOffset && artifact.content_type.startsWith('image/'))
    .map(({ artifact }) => artifact);
}

/** A lifecycle event. Everything in it derives from state that no longer changes, so a repetition is equal to the byte. */
export function lifecycleEvent(state: InspectionState, moment: Moment, origin: Origin): InspectionOutput {
  const { attempt } = moment;
  const event: InspectionEvent = {
    event_id: originEventId(origin, 0),
    event_type: moment.type,
    timestamp: moment.timestamp,
    trace_id: moment.trace,
    tenant_id: state.tenant_id,
    payload: {
      inspection_id: state.id,
      revision: moment.revision,
      lot_id: state.lot_id,
      part_id: state.part_id,
      chip_id: state.chip_id,
      inspection_type: state.inspection_type,
      status: statusOf(attempt),
      verdict: attempt?.verdict ?? null,
      priority: state.priority,
      priority_band: priorityBand(state.priority),
      station_id: state.station_id,
      line_id: state.line_id,
      metadata: state.metadata,
      attempt: attempt?.attempt ?? 0,
      job_id: attempt?.job_id ?? null,
      model_name: attempt?.model_name ?? null,
      model_version: attempt?.model_version ?? null,
      failure_reason: attempt?.failure_reason ?? null,
      defects: attempt?.defects ?? [],
      artifact_ids:
        attempt === undefined ? [] : imagesBefore(state, attempt.origin_offset).map((artifact) => artifact.artifact_id),
      created_at: state.created_at,
      updated_at: moment.timestamp,
      started_at: attempt?.requested_at ?? null,
      completed_at: attempt?.finished_at ?? null,
      origin_partition: origin.partition,
      origin_offset: origin.offset,
    },
  };
  return { sink: 'lifecycle', event };
}

/** The event that tells of a confirmed file. */
export function artifactUploaded(
  state: InspectionState,
  artifact: ArtifactRef,
  timestamp: number,
  trace: string,
  origin: Origin,
): InspectionOutput {
  return {
    sink: 'artifacts',
    event: {
      event_id: originEventId(origin, 0),
      event_type: 'artifact.uploaded',
      timestamp,
      trace_id: trace,
      tenant_id: state.tenant_id,
      payload: { inspection_id: state.id, chip_id: state.chip_id, artifact },
    },
  };
}

/** What a client asked of an inference, from the command's payload. */
export interface InferenceWish {
  readonly golden: ArtifactRef | null;
  readonly batchSize: number;
  readonly confidenceThreshold: number | null;
  readonly priority: string;
}

/**
 * The event that asks the inference flow for a judgement; its images are those that were confirmed before the command
 * came.
 */
export function inferenceRequested(
  state: InspectionState,
  attempt: InspectionAttempt,
  wish: InferenceWish,
  trace: string,
  origin: Origin,
): InspectionOutput {
  return {
    sink: 'inference',
    event: {
      event_id: originEventId(origin, 1),
      event_type: 'inference.requested',
      timestamp: attempt.requested_at,
      trace_id: trace,
      tenant_id: state.tenant_id,
      payload: {
        job_id: attempt.job_id,
        inspection_id: state.id,
        attempt: attempt.attempt,
        model_name: attempt.model_name,
        artifacts: imagesBefore(state, attempt.origin_offset),
        golden: wish.golden,
        batch_size: wish.batchSize,
        confidence_threshold: wish.confidenceThreshold,
        priority: wish.priority,
        requested_at: attempt.requested_at,
        results: null,
        failure: null,
      },
    },
  };
}
