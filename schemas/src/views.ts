/**
 * Resources as the API shows them, in its JSON (snake_case): actors answer commands with them, queries make them of stored
 * state, and the API passes them on. Types only.
 */

/** What a classifier says of a defect, having seen the board around it only. */
export interface SecondOpinionView {
  /** One of the detector's labels, or `background`: nothing is wrong there. */
  readonly label: string;
  /** Null for `background`. */
  readonly defect_type: string | null;
  readonly probability: number;
  /** Its label is another one than the detector's: the defect is for a person to look at. */
  readonly disagrees: boolean;
}

export interface DefectView {
  readonly id: string;
  readonly defect_type: string;
  /** The model's own label. */
  readonly label: string;
  readonly severity: string;
  readonly location: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly confidence: number;
  /** Null: nobody was asked. */
  readonly second_opinion: SecondOpinionView | null;
}

export interface ArtifactView {
  readonly artifact_id: string;
  readonly storage_path: string;
  readonly content_type: string;
  readonly size_bytes: number;
  readonly checksum: string;
}

export interface InspectionView {
  readonly id: string;
  readonly lot_id: string;
  readonly part_id: string;
  readonly chip_id: string;
  readonly inspection_type: string;
  readonly status: 'pending' | 'in_progress' | 'completed' | 'failed';
  readonly verdict: 'pass' | 'fail' | null;
  readonly priority: number;
  readonly station_id: string | null;
  readonly line_id: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly artifacts: readonly ArtifactView[];
  readonly defects: readonly DefectView[];
  /** Why it failed. */
  readonly failure_reason: string | null;
  readonly attempts: number;
  readonly model_name: string | null;
  readonly model_version: string | null;
  /** ISO 8601. */
  readonly created_at: string;
  readonly updated_at: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
}

export interface PartView {
  readonly id: string;
  readonly part_number: string;
  readonly part_type: string;
  readonly description: string | null;
  readonly golden: ArtifactView | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface LotView {
  readonly id: string;
  readonly lot_number: string;
  readonly part_id: string;
  readonly quantity: number;
  readonly created_at: string;
}

/** A version on trial. */
export interface ModelCandidateView {
  readonly version: string;
  readonly mode: string;
  readonly share: number;
  /** Since when it judges no more because it went on failing; null while it is tried. */
  readonly suspended_at: string | null;
}

/** Which versions of a model judge. */
export interface ModelDeploymentView {
  readonly production: string;
  readonly candidate: ModelCandidateView | null;
  /** Where a rollback leads once there is no candidate; null: nowhere. */
  readonly previous: string | null;
  /** 0: nobody has deployed anything yet, the oldest version judges. */
  readonly revision: number;
  readonly updated_at: string | null;
  readonly updated_by: string | null;
}

/** A version in the model repository. */
export interface ModelVersionView {
  readonly version: string;
  /** Confidence from which a detection makes a board defective. */
  readonly verdict_threshold: number;
}

/** A model of the repository. */
export interface ModelView {
  readonly name: string;
  /** Oldest first. */
  readonly versions: readonly ModelVersionView[];
  /** Null for models that boards are not judged with by themselves. */
  readonly deployment: ModelDeploymentView | null;
}

/** A place in the list of inspections: newest first, ties by id. */
export interface ListPosition {
  readonly createdAtMs: number;
  readonly id: string;
}

/** What a page of the list of inspections shall hold. */
export interface InspectionFilter {
  readonly limit: number;
  /** Position after which the page starts: newest first. */
  readonly after?: ListPosition;
  readonly status?: string;
  readonly chipId?: string;
  readonly lotId?: string;
}

/** A part of the list of inspections, newest first. */
export interface InspectionList {
  /** At most `limit + 1`, so that the API sees whether there are more. */
  readonly views: readonly InspectionView[];
  /** Set when a selective filter stopped before the end and before the limit: everything up to here was looked at. */
  readonly resumeAfter?: ListPosition;
}
