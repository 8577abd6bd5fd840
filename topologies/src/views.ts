import type {
  ArtifactRef,
  ArtifactView,
  CatalogState,
  Defect,
  DefectView,
  InspectionAttempt,
  InspectionState,
  InspectionView,
  Lot,
  LotView,
  ModelCandidate,
  ModelCandidateView,
  ModelDeployment,
  ModelDeploymentView,
  Part,
  PartView,
  SecondOpinion,
  SecondOpinionView,
} from '@chip-quality/schemas';

/**
 * Resources as the API shows them. Actors answer commands with them and queries make them of stored state, so that a
 * create's answer and a later read agree to the byte.
 */

const iso = (epochMs: number): string => new Date(epochMs).toISOString();
const isoOrNull = (epochMs: number | null): string | null => (epochMs === null ? null : iso(epochMs));

/** A confirmed file. */
export function artifactView(artifact: ArtifactRef): ArtifactView {
  const { artifact_id, storage_path, content_type, size_bytes, checksum } = artifact;
  return { artifact_id, storage_path, content_type, size_bytes, checksum };
}

/** A defect, its box as place and size. */
export function defectView(defect: Defect): DefectView {
  const { id, defect_type, label, severity, x, y, width, height, confidence, second_opinion } = defect;
  return {
    ...{ id, defect_type, label, severity, location: { x, y, width, height }, confidence },
    second_opinion: second_opinion === null ? null : secondOpinionView(second_opinion),
  };
}

function secondOpinionView({ label, defect_type, probability, disagrees }: SecondOpinion): SecondOpinionView {
  return { label, defect_type, probability, disagrees };
}

/** Status that an inspection has after its last attempt. */
export function statusOf(attempt: InspectionAttempt | undefined): InspectionView['status'] {
  if (attempt === undefined) return 'pending';
  if (attempt.finished_at === null) return 'in_progress';
  return attempt.failure_reason === null ? 'completed' : 'failed';
}

/** An inspection as it stands now: status, verdict and defects are those of its last attempt. */
export function inspectionView(state: InspectionState): InspectionView {
  const attempt = state.attempts.at(-1);
  return {
    id: state.id,
    lot_id: state.lot_id,
    part_id: state.part_id,
    chip_id: state.chip_id,
    inspection_type: state.inspection_type,
    status: statusOf(attempt),
    verdict: (attempt?.verdict ?? null) as 'pass' | 'fail' | null,
    priority: state.priority,
    station_id: state.station_id,
    line_id: state.line_id,
    metadata: JSON.parse(state.metadata) as Record<string, unknown>,
    artifacts: state.artifacts.map(({ artifact }) => artifactView(artifact)),
    defects: attempt?.defects.map(defectView) ?? [],
    failure_reason: attempt?.failure_reason ?? null,
    attempts: state.attempts.length,
    model_name: attempt?.model_name ?? null,
    model_version: attempt?.model_version ?? null,
    created_at: iso(state.created_at),
    updated_at: iso(state.updated_at),
    started_at: isoOrNull(attempt?.requested_at ?? null),
    completed_at: isoOrNull(attempt?.finished_at ?? null),
  };
}

/** The inspection as its creation was answered, whatever has happened since. */
export function createdInspectionView(state: InspectionState): InspectionView {
  return inspectionView({ ...state, updated_at: state.created_at, artifacts: [], attempts: [] });
}

/** A part with its golden image. */
export function partView(part: Part): PartView {
  return {
    id: part.id,
    part_number: part.part_number,
    part_type: part.part_type,
    description: part.description,
    golden: part.golden === null ? null : artifactView(part.golden),
    created_at: iso(part.created_at),
    updated_at: iso(part.updated_at),
  };
}

/** A lot; nothing of it ever changes. */
export function lotView(lot: Lot): LotView {
  const { id, lot_number, part_id, quantity, created_at } = lot;
  return { id, lot_number, part_id, quantity, created_at: iso(created_at) };
}

function modelCandidateView({ version, mode, share, suspended_at }: ModelCandidate): ModelCandidateView {
  return { version, mode, share, suspended_at: suspended_at === null ? null : iso(suspended_at) };
}

/** A deployment that somebody made. */
export function modelDeploymentView(deployment: ModelDeployment): ModelDeploymentView {
  const { production, candidate, history, revision, updated_at, updated_by } = deployment;
  return {
    production,
    candidate: candidate === null ? null : modelCandidateView(candidate),
    previous: history.at(-1) ?? null,
    revision,
    updated_at: iso(updated_at),
    updated_by,
  };
}

/** The part in a catalogue entry of this tenant. */
export function partOf(entry: CatalogState | undefined, tenantId: string): PartView | undefined {
  return entry?.tenant_id === tenantId && entry.part !== null ? partView(entry.part) : undefined;
}

/** The lot in a catalogue entry of this tenant. */
export function lotOf(entry: CatalogState | undefined, tenantId: string): LotView | undefined {
  return entry?.tenant_id === tenantId && entry.lot !== null ? lotView(entry.lot) : undefined;
}
