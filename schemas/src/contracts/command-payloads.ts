import type { ArtifactView } from '../views.ts';
import type { CandidateMode, InferencePriority, InspectionType } from '../vocabulary.ts';

/** What a client says of a part that it makes (`part.create`). */
export interface PartCreatePayload {
  /** Unique within the tenant. */
  readonly part_number: string;
  /** Kind of part, in the client's words. */
  readonly part_type: string;
  /** Null: there is none. */
  readonly description: string | null;
}

/** What a client says of a lot that it makes (`lot.create`). */
export interface LotCreatePayload {
  /** Unique within the tenant. */
  readonly lot_number: string;
  /** UUID of the part that the lot's boards are. */
  readonly part_id: string;
  /** Number of boards. */
  readonly quantity: number;
}

/** What a client says of an inspection that it makes (`inspection.create`), and the part of its lot. */
export interface InspectionCreatePayload {
  /** UUID of the lot. */
  readonly lot_id: string;
  /** Serial of the board, unique in its lot. */
  readonly chip_id: string;
  /** How it is inspected. */
  readonly inspection_type: InspectionType;
  /** 1 (low) to 10 (critical). */
  readonly priority: number;
  /** Test station; null: none is named. */
  readonly station_id: string | null;
  /** Line whose yield the board counts for; null: none is named. */
  readonly line_id: string | null;
  /** Free-form facts of the client. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** UUID of the lot's part; the API looks it up. */
  readonly part_id: string;
}

/** What the API found in the object store (`part.confirm_golden`, `inspection.confirm_artifact`). */
export interface ArtifactConfirmPayload extends ArtifactView {
  /** As the client named it; never part of the storage path. */
  readonly filename: string;
  /** image, measurement or video. */
  readonly artifact_type: string;
  /** Free-form facts of the client. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** How an inspection shall be judged (`inspection.infer`), and what the API resolved for it. */
export interface InferPayload {
  /** Model that is asked. */
  readonly model_name: string;
  /** No batch with this board is larger. */
  readonly batch_size: number;
  /** Detections below it are left out, 0 to 1; null: the model's own threshold. */
  readonly confidence_threshold: number | null;
  /** Lane of the inference. */
  readonly priority: InferencePriority;
  /** UUID of the inference job; derived from the command. */
  readonly job_id: string;
  /** Golden image of the part at this moment; null where it has none. */
  readonly golden: ArtifactView | null;
}

/** All that a rollback carries (`model.rollback`): it takes back whatever is newest. */
export interface ModelRollbackPayload {
  /** The version that judges while nobody has deployed anything. */
  readonly initial: string;
}

/** Which versions shall judge (`model.deploy`). */
export interface ModelDeployPayload extends ModelRollbackPayload {
  /** The version that shall judge. */
  readonly production: string;
  /** The version on trial; absent or null: none. */
  readonly candidate?:
    | {
        /** Another version than the one in production. */
        readonly version: string;
        /** How it takes part. */
        readonly mode: CandidateMode;
        /** Share of the inspections, above 0, at most 1. */
        readonly share: number;
      }
    | null
    | undefined;
}

/** Which trial ends (`model.suspend`); workers send it, clients can't. */
export interface ModelSuspendPayload {
  /** The deployment whose candidate goes on failing. */
  readonly revision: number;
}

/**
 * What commands carry, by operation: as JSON in the `payload` of `ApiRequest` and `Command`. The API and workers write them, the
 * actors of `topologies/` read them.
 */
export interface CommandPayloads {
  /** Makes a part. */
  readonly 'part.create': PartCreatePayload;
  /** Makes an uploaded image the golden image of a part. */
  readonly 'part.confirm_golden': ArtifactConfirmPayload;
  /** Makes a lot. */
  readonly 'lot.create': LotCreatePayload;
  /** Makes an inspection. */
  readonly 'inspection.create': InspectionCreatePayload;
  /** Takes an uploaded file into an inspection. */
  readonly 'inspection.confirm_artifact': ArtifactConfirmPayload;
  /** Asks for an inference. */
  readonly 'inspection.infer': InferPayload;
  /** Says which versions of a model judge. */
  readonly 'model.deploy': ModelDeployPayload;
  /** Takes the newest change of what judges back. */
  readonly 'model.rollback': ModelRollbackPayload;
  /** Ends the trial of a candidate. */
  readonly 'model.suspend': ModelSuspendPayload;
}

/** A payload as a reader may meet it: commands that were written before `Later` fields came lack them. */
export type EarlierPayload<Payload, Later extends keyof Payload> = Omit<Payload, Later> & Partial<Pick<Payload, Later>>;
