import {
  type Command,
  type ConfirmedArtifact,
  DEFAULT_MODEL_NAME,
  type EarlierPayload,
  INFERENCE_BATCH_SIZE_MAX,
  type InferAcceptedView,
  type InferenceEvent,
  type InferPayload,
  type InspectionAttempt,
  type InspectionCreatePayload,
  type InspectionState,
  jobId,
} from '@chip-quality/schemas';
import { type ArtifactFacts, artifactRef } from '../actor/artifact-facts.ts';
import { type Decision, notFound, refuse, refuseAndRemember, refusedBefore } from '../actor/decision.ts';
import type { Origin } from '../actor/origin.ts';
import { problem } from '../actor/problems.ts';
import { artifactView, createdInspectionView } from '../views.ts';
import {
  artifactUploaded,
  type InferenceWish,
  type InspectionOutput,
  imagesBefore,
  inferenceRequested,
  lifecycleEvent,
} from './events.ts';

/** What a client is told to expect: the platform's own target for an inference. */
export const ESTIMATED_INFERENCE_MS = 2_000;
/** An attempt without a result after this long doesn't block the next: more than the inference's own deadlines together. */
export const ATTEMPT_TIMEOUT_MS = 5 * 60_000;
/** Most files of one inspection: a board has a handful, and all of them are one record of a changelog. */
export const ARTIFACTS_MAX = 32;
/** Most inferences of one inspection: more mean a client in a loop. */
export const ATTEMPTS_MAX = 20;

/** What the inspection actor decided. */
export type InspectionDecision = Decision<InspectionState, InspectionOutput>;

type CreatePayload = EarlierPayload<InspectionCreatePayload, 'priority' | 'station_id' | 'line_id' | 'metadata'>;
type WishPayload = Partial<InferPayload>;

/**
 * Creates an inspection. The answer is 201 however often the command comes: a repetition gets the same bytes. Another
 * command for the same chip, lot and type is refused as a duplicate.
 */
export function decideCreate(command: Command, state: InspectionState | undefined, origin: Origin): InspectionDecision {
  if (state === undefined) {
    const payload = JSON.parse(command.payload) as CreatePayload;
    const created: InspectionState = {
      id: command.resource_id,
      tenant_id: command.tenant_id,
      lot_id: payload.lot_id,
      part_id: payload.part_id,
      chip_id: payload.chip_id,
      inspection_type: payload.inspection_type,
      priority: payload.priority ?? 5,
      station_id: payload.station_id ?? null,
      line_id: payload.line_id ?? null,
      metadata: JSON.stringify(payload.metadata ?? {}),
      command_id: command.command_id,
      origin_offset: origin.offset,
      traceparent: command.traceparent,
      revision: 1,
      created_at: command.issued_at,
      updated_at: command.issued_at,
      artifacts: [],
      attempts: [],
      rejections: [],
    };
    return { ...announceCreated(created, command, origin, true), state: created };
  }
  if (state.command_id === command.command_id) {
    return announceCreated(state, command, origin, state.origin_offset === origin.offset);
  }
  return refuse(
    problem('duplicate', `Chip ${state.chip_id} of this lot has a ${state.inspection_type} inspection already.`, {
      inspection_id: state.id,
    }),
  );
}

function announceCreated(
  state: InspectionState,
  command: Command,
  origin: Origin,
  announce: boolean,
): InspectionDecision {
  const moment = {
    type: 'inspection.created' as const,
    revision: 1,
    timestamp: state.created_at,
    attempt: undefined,
    trace: command.traceparent,
  };
  return {
    answer: { status: 201, body: createdInspectionView(state) },
    events: announce ? [lifecycleEvent(state, moment, origin)] : [],
  };
}

/** The inspection as it exists for a command: of its tenant, and created before it came. */
function existing(command: Command, state: InspectionState | undefined, origin: Origin): InspectionState | undefined {
  if (state === undefined || state.tenant_id !== command.tenant_id) return undefined;
  return state.origin_offset < origin.offset ? state : undefined;
}

/**
 * Takes an uploaded file into an inspection. Refused: content that differs from an earlier confirmation, and more than
 * {@link ARTIFACTS_MAX}.
 */
export function decideConfirmArtifact(
  command: Command,
  stored: InspectionState | undefined,
  origin: Origin,
): InspectionDecision {
  const state = existing(command, stored, origin);
  if (state === undefined) return notFound('inspection', command);
  const announced = (confirmed: ConfirmedArtifact, announce: boolean): InspectionDecision => ({
    answer: { status: 200, body: artifactView(confirmed.artifact) },
    events: announce
      ? [artifactUploaded(state, confirmed.artifact, confirmed.confirmed_at, command.traceparent, origin)]
      : [],
  });
  const before = state.artifacts.find((candidate) => candidate.command_id === command.command_id);
  if (before !== undefined) return announced(before, before.origin_offset === origin.offset);
  const refused = refusedBefore(state.rejections, command);
  if (refused !== undefined) return refused;

  const artifact = artifactRef(JSON.parse(command.payload) as ArtifactFacts);
  const same = state.artifacts.find((candidate) => candidate.artifact.artifact_id === artifact.artifact_id);
  if (same !== undefined) {
    if (same.artifact.checksum === artifact.checksum) return announced(same, false);
    const detail = `Artifact ${artifact.artifact_id} was confirmed with other content. Upload it as a new artifact.`;
    return refuseAndRemember(state, command, problem('artifact-changed', detail));
  }
  if (state.artifacts.length >= ARTIFACTS_MAX) {
    return refuseAndRemember(
      state,
      command,
      problem('too-many', `An inspection has at most ${ARTIFACTS_MAX} artifacts.`),
    );
  }
  const confirmed: ConfirmedArtifact = {
    artifact,
    command_id: command.command_id,
    origin_offset: origin.offset,
    confirmed_at: command.issued_at,
  };
  return {
    ...announced(confirmed, true),
    state: {
      ...state,
      revision: state.revision + 1,
      updated_at: Math.max(state.updated_at, command.issued_at),
      artifacts: [...state.artifacts, confirmed],
    },
  };
}

/**
 * Asks for an inference of an inspection's newest image. Refused without an image, while another is under way, and
 * after {@link ATTEMPTS_MAX}.
 */
export function decideInfer(command: Command, stored: InspectionState | undefined, origin: Origin): InspectionDecision {
  const state = existing(command, stored, origin);
  if (state === undefined) return notFound('inspection', command);
  const before = state.attempts.find((candidate) => candidate.command_id === command.command_id);
  if (before !== undefined) return requested(state, before, command, origin, before.origin_offset === origin.offset);
  const refused = refusedBefore(state.rejections, command);
  if (refused !== undefined) return refused;

  if (imagesBefore(state, origin.offset).length === 0) {
    const detail = 'Upload an image and confirm it before you ask for an inference.';
    return refuseAndRemember(state, command, problem('no-image', detail));
  }
  const current = state.attempts.at(-1);
  const running = current !== undefined && current.finished_at === null;
  if (running && command.issued_at - current.requested_at < ATTEMPT_TIMEOUT_MS) {
    const detail = `Job ${current.job_id} has no result yet.`;
    return refuseAndRemember(state, command, problem('inference-in-progress', detail, { request_id: current.job_id }));
  }
  if (state.attempts.length >= ATTEMPTS_MAX) {
    return refuseAndRemember(
      state,
      command,
      problem('too-many', `An inspection has at most ${ATTEMPTS_MAX} attempts.`),
    );
  }
  const payload = JSON.parse(command.payload) as WishPayload;
  const attempt: InspectionAttempt = {
    attempt: state.attempts.length + 1,
    job_id: payload.job_id ?? jobId(command.command_id),
    command_id: command.command_id,
    origin_offset: origin.offset,
    requested_revision: state.revision + 1,
    requested_at: command.issued_at,
    estimated_completion: command.issued_at + ESTIMATED_INFERENCE_MS,
    model_name: payload.model_name ?? DEFAULT_MODEL_NAME,
    finished_revision: null,
    finished_offset: null,
    finished_at: null,
    model_version: null,
    verdict: null,
    failure_reason: null,
    defects: [],
  };
  const next: InspectionState = {
    ...state,
    traceparent: command.traceparent,
    revision: attempt.requested_revision,
    updated_at: Math.max(state.updated_at, command.issued_at),
    attempts: [...state.attempts, attempt],
  };
  return { ...requested(next, attempt, command, origin, true), state: next };
}

/** Answer and events of an accepted attempt; the events describe the moment of the request, whatever has happened since. */
function requested(
  state: InspectionState,
  attempt: InspectionAttempt,
  command: Command,
  origin: Origin,
  announce: boolean,
): InspectionDecision {
  const body: InferAcceptedView = {
    request_id: attempt.job_id,
    estimated_completion: new Date(attempt.estimated_completion).toISOString(),
  };
  if (!announce) return { answer: { status: 202, body }, events: [] };
  const payload = JSON.parse(command.payload) as WishPayload;
  const wish: InferenceWish = {
    golden: payload.golden == null ? null : artifactRef(payload.golden),
    batchSize: payload.batch_size ?? INFERENCE_BATCH_SIZE_MAX,
    confidenceThreshold: payload.confidence_threshold ?? null,
    priority: payload.priority ?? 'normal',
  };
  const asRequested: InspectionAttempt = {
    ...attempt,
    finished_at: null,
    verdict: null,
    failure_reason: null,
    model_version: null,
    defects: [],
  };
  const moment = {
    type: 'inspection.updated' as const,
    revision: attempt.requested_revision,
    timestamp: attempt.requested_at,
    attempt: asRequested,
    trace: command.traceparent,
  };
  return {
    answer: { status: 202, body },
    events: [
      lifecycleEvent(state, moment, origin),
      inferenceRequested(state, asRequested, wish, command.traceparent, origin),
    ],
  };
}

/**
 * A result ends the current attempt. Results of other jobs, and second results of a job (the inference ran twice after a
 * crash), change nothing; the very record that ended an attempt announces the end again.
 */
export function decideInferenceEnd(
  event: InferenceEvent,
  state: InspectionState | undefined,
  origin: Origin,
): InspectionDecision {
  const { results, failure, job_id } = event.payload;
  if (state === undefined || state.tenant_id !== event.tenant_id || (results === null && failure === null)) {
    return { events: [] };
  }
  const attempt = state.attempts.find((candidate) => candidate.job_id === job_id);
  if (attempt === undefined) return { events: [] };
  if (attempt.finished_at !== null) {
    return { events: attempt.finished_offset === origin.offset ? [ended(state, attempt, event, origin)] : [] };
  }
  if (attempt !== state.attempts.at(-1)) return { events: [] };
  const finished: InspectionAttempt = {
    ...attempt,
    finished_revision: state.revision + 1,
    finished_offset: origin.offset,
    finished_at: event.timestamp,
    model_version: results?.model_version ?? null,
    verdict: results === null ? null : results.defects.length > 0 ? 'fail' : 'pass',
    failure_reason: results === null ? (failure?.reason ?? null) : null,
    defects: results?.defects ?? [],
  };
  const next: InspectionState = {
    ...state,
    revision: state.revision + 1,
    updated_at: Math.max(state.updated_at, event.timestamp),
    attempts: [...state.attempts.slice(0, -1), finished],
  };
  return { state: next, events: [ended(next, finished, event, origin)] };
}

function ended(
  state: InspectionState,
  attempt: InspectionAttempt,
  event: InferenceEvent,
  origin: Origin,
): InspectionOutput {
  const moment = {
    type: attempt.failure_reason === null ? ('inspection.completed' as const) : ('inspection.failed' as const),
    revision: attempt.finished_revision ?? state.revision,
    timestamp: attempt.finished_at ?? event.timestamp,
    attempt,
    trace: event.trace_id,
  };
  return lifecycleEvent(state, moment, origin);
}
