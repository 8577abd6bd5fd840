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
  /** How sure the classifier is, 0 to 1. */
  readonly probability: number;
  /** Its label is another one than the detector's: the defect is for a person to look at. */
  readonly disagrees: boolean;
}

/** A defect that the detector found. */
export interface DefectView {
  /** The same in every repetition of the inference: made of the job's id and the defect's place in the answer. */
  readonly id: string;
  /** What the platform calls it: one of `DEFECT_TYPES`. */
  readonly defect_type: string;
  /** The model's own label. */
  readonly label: string;
  /** How bad it is: one of `SEVERITIES`. */
  readonly severity: string;
  /** Its box, in pixels of the 640 × 640 image. */
  readonly location: {
    /** Left edge. */
    readonly x: number;
    /** Upper edge. */
    readonly y: number;
    /** Pixels to the right. */
    readonly width: number;
    /** Pixels downwards. */
    readonly height: number;
  };
  /** How sure the detector is, 0 to 1. */
  readonly confidence: number;
  /** Null: nobody was asked. */
  readonly second_opinion: SecondOpinionView | null;
}

/** An uploaded file that was confirmed. */
export interface ArtifactView {
  /** UUID, made of the inspection or part and the upload. */
  readonly artifact_id: string;
  /** Key in the object store's bucket. */
  readonly storage_path: string;
  /** MIME type that the object has in the store. */
  readonly content_type: string;
  /** Length of the object. */
  readonly size_bytes: number;
  /** MD5 of the bytes, hexadecimal. */
  readonly checksum: string;
}

/** How one chip was inspected, or is being inspected, as the API answers it. */
export interface InspectionView {
  /** UUID, made of tenant, lot, chip and inspection type: there is one inspection of each. */
  readonly id: string;
  /** Lot that the chip is of. */
  readonly lot_id: string;
  /** Part that the lot is of. */
  readonly part_id: string;
  /** The station's own number of the chip. */
  readonly chip_id: string;
  /** How it is inspected: one of `INSPECTION_TYPES`. */
  readonly inspection_type: string;
  /**
   * `pending`: no inference was asked for; `in_progress`: one is under way; `completed`: it has a verdict; `failed`:
   * the last inference ended without one.
   */
  readonly status: 'pending' | 'in_progress' | 'completed' | 'failed';
  /** `pass`: no defect reached the threshold; `fail`: one did; null before an inference has ended well. */
  readonly verdict: 'pass' | 'fail' | null;
  /** 1 to 10, 10 the most urgent. */
  readonly priority: number;
  /** Test station; null where none was named. */
  readonly station_id: string | null;
  /** Line whose yield the board counts for; null where none was named. */
  readonly line_id: string | null;
  /** The client's own facts, given back unchanged. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Confirmed files, oldest first; the newest image is the one that is judged. */
  readonly artifacts: readonly ArtifactView[];
  /** What the last inference found, if it ended well. */
  readonly defects: readonly DefectView[];
  /** Why the last inference ended without a result: a reason of `docs/errors.md`; null where it did not. */
  readonly failure_reason: string | null;
  /** Inferences that were asked for so far. */
  readonly attempts: number;
  /** Model that the last inference asked for; null before the first. */
  readonly model_name: string | null;
  /** Version that judged; null before an answer. */
  readonly model_version: string | null;
  /** ISO 8601. */
  readonly created_at: string;
  /** When a command or a result last changed it, ISO 8601. */
  readonly updated_at: string;
  /** When the last inference was asked for, ISO 8601; null before the first. */
  readonly started_at: string | null;
  /** When the last inference ended, ISO 8601; null before. */
  readonly completed_at: string | null;
}

/** An inference that was asked for. */
export interface InferAcceptedView {
  /** UUID of the inference job. */
  readonly request_id: string;
  /** ISO 8601; what the platform aims at, no promise. */
  readonly estimated_completion: string;
}

/** A kind of board. */
export interface PartView {
  /** UUID, made of tenant and part number. */
  readonly id: string;
  /** The client's own number, unique within the tenant. */
  readonly part_number: string;
  /** What kind of thing it is, such as `pcb`. */
  readonly part_type: string;
  /** Text for people; null where none was given. */
  readonly description: string | null;
  /** Image of a faultless board, which the detector compares with; null where none was confirmed. */
  readonly golden: ArtifactView | null;
  /** ISO 8601. */
  readonly created_at: string;
  /** When its golden image last changed, ISO 8601. */
  readonly updated_at: string;
}

/** Boards of one part that were made together. */
export interface LotView {
  /** UUID, made of tenant and lot number. */
  readonly id: string;
  /** The client's own number, unique within the tenant. */
  readonly lot_number: string;
  /** Part that its boards are of. */
  readonly part_id: string;
  /** How many boards it has, as the client said. */
  readonly quantity: number;
  /** ISO 8601. */
  readonly created_at: string;
}

/** A version on trial. */
export interface ModelCandidateView {
  /** Folder of the version in the model repository. */
  readonly version: string;
  /** `split`: it judges its share; `shadow`: it only sees the boards too. */
  readonly mode: string;
  /** Share of the inspections that it takes part in, above 0 to 1. */
  readonly share: number;
  /** Since when it judges no more because it went on failing; null while it is tried. */
  readonly suspended_at: string | null;
}

/** Which versions of a model judge. */
export interface ModelDeploymentView {
  /** Version that judges whatever a candidate does not. */
  readonly production: string;
  /** Version on trial; null: none. */
  readonly candidate: ModelCandidateView | null;
  /** Where a rollback leads once there is no candidate; null: nowhere. */
  readonly previous: string | null;
  /** 0: nobody has deployed anything yet, the oldest version judges. */
  readonly revision: number;
  /** When somebody last deployed, ISO 8601; null where nobody has. */
  readonly updated_at: string | null;
  /** Who last deployed; null where nobody has. */
  readonly updated_by: string | null;
}

/** A version in the model repository. */
export interface ModelVersionView {
  /** Name of its folder: a number from 1 on. */
  readonly version: string;
  /** Confidence from which a detection makes a board defective. */
  readonly verdict_threshold: number;
}

/** A model of the repository. */
export interface ModelView {
  /** Name of its folder. */
  readonly name: string;
  /** Oldest first. */
  readonly versions: readonly ModelVersionView[];
  /** Null for models that boards are not judged with by themselves. */
  readonly deployment: ModelDeploymentView | null;
}

/** A place in the list of inspections: newest first, ties by id. */
export interface ListPosition {
  /** Creation of the inspection at this place, epoch ms. */
  readonly createdAtMs: number;
  /** UUID of the inspection at this place. */
  readonly id: string;
}

/** What a page of the list of inspections shall hold. */
export interface InspectionFilter {
  /** Most inspections that the page may hold. */
  readonly limit: number;
  /** Position after which the page starts: newest first. */
  readonly after?: ListPosition;
  /** Only those with this status. */
  readonly status?: string;
  /** Only those of this chip. */
  readonly chipId?: string;
  /** Only those of this lot. */
  readonly lotId?: string;
}

/** A part of the list of inspections, newest first. */
export interface InspectionList {
  /** At most `limit + 1`, so that the API sees whether there are more. */
  readonly views: readonly InspectionView[];
  /** Set when a selective filter stopped before the end and before the limit: everything up to here was looked at. */
  readonly resumeAfter?: ListPosition;
}
