import {
  CANDIDATE_MODES,
  DEFECT_TYPES,
  INFERENCE_BATCH_SIZE_MAX,
  INFERENCE_PRIORITIES,
  INSPECTION_STATUSES,
  INSPECTION_TYPES,
  SEVERITIES,
} from '@chip-quality/schemas';
import { z } from 'zod';

/** Most nesting that free-form metadata may have: deeper is a mistake or an attack on whoever walks it. */
const METADATA_DEPTH_MAX = 8;
/** Metadata travels in every event of an inspection. */
const METADATA_BYTES_MAX = 16 * 1024;
/** An inspection has up to 32 artifacts, and all of it is one record of at most 1 MB in a changelog. */
const ARTIFACT_METADATA_BYTES_MAX = 4 * 1024;

/** Neither text nor jsonb of PostgreSQL holds NUL or half a surrogate pair: what has one could never be projected. */
const storable = (value: string) => value.isWellFormed() && !value.includes('\0');
const NOT_STORABLE = 'NUL and unpaired surrogates are not allowed';

/** One line of printable text. */
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, 'Control characters are not allowed')
    .refine(storable, NOT_STORABLE);

export const uuid = z.uuid().toLowerCase();

/** What a golden image may be. */
export const IMAGE_TYPES = ['image/jpeg', 'image/png'] as const;
/** What an inspection's artifact may be. */
export const ARTIFACT_TYPES = [...IMAGE_TYPES, 'video/mp4', 'application/json'] as const;

const metadata = (bytesMax: number) =>
  z
    .record(z.string().max(100), z.unknown())
    .refine((value) => withinDepth(value, METADATA_DEPTH_MAX), {
      error: `At most ${METADATA_DEPTH_MAX} levels deep`,
      abort: true,
    })
    .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= bytesMax, `At most ${bytesMax} bytes as JSON`)
    .refine(allStorable, NOT_STORABLE);

const Metadata = metadata(METADATA_BYTES_MAX).meta({
  id: 'Metadata',
  description: 'Free-form facts, kept and given back unchanged.',
});
const ArtifactMetadata = metadata(ARTIFACT_METADATA_BYTES_MAX).meta({
  id: 'ArtifactMetadata',
  description:
    'Free-form facts about the capture. Where `expected_verdict` is `pass` or `fail` (reference boards), /metrics counts how often ' +
    'each model version is right.',
});

export const PartCreate = z
  .strictObject({
    part_number: text(100).meta({ description: 'Unique within the tenant.', examples: ['PCB-44000'] }),
    part_type: text(50).meta({ examples: ['pcb'] }),
    description: z.string().max(1000).refine(storable, NOT_STORABLE).nullable().default(null),
  })
  .meta({ id: 'PartCreate' });

export const LotCreate = z
  .strictObject({
    lot_number: text(100).meta({ description: 'Unique within the tenant.', examples: ['LOT-2026-11-23-A'] }),
    part_id: uuid,
    quantity: z.int().min(1).max(10_000_000),
  })
  .meta({ id: 'LotCreate' });

export const InspectionCreate = z
  .strictObject({
    lot_id: uuid,
    chip_id: text(100).meta({ examples: ['44000-0017'] }),
    inspection_type: z.enum(INSPECTION_TYPES),
    priority: z.int().min(1).max(10).default(5).meta({ description: '1–3 low, 4–6 normal, 7–8 high, 9–10 critical.' }),
    station_id: text(100).nullable().default(null),
    line_id: text(100).nullable().default(null).meta({ description: 'Line whose yield the board counts for.' }),
    metadata: Metadata.default({}),
  })
  .meta({ id: 'InspectionCreate' });

const filename = text(255).regex(/^[^/\\]+$/, 'A file name without folders');

export const ArtifactPresign = z
  .strictObject({ filename, content_type: z.enum(ARTIFACT_TYPES) })
  .meta({ id: 'ArtifactPresign' });

export const GoldenPresign = z
  .strictObject({ filename, content_type: z.enum(IMAGE_TYPES) })
  .meta({ id: 'GoldenPresign', description: 'The golden image: what a faultless board of this part looks like.' });

const confirmed = {
  artifact_id: uuid,
  filename: filename.optional().meta({ description: 'The artifact id unless given.' }),
  size_bytes: z.int().min(1).optional().meta({ description: 'Compared with the stored object when given.' }),
  checksum: z
    .string()
    .regex(/^(md5:)?[0-9a-fA-F]{32}$/, 'The MD5 of the bytes in hexadecimal')
    .optional()
    .meta({ description: 'MD5, hexadecimal; compared with the stored object when given.' }),
  metadata: ArtifactMetadata.default({}),
};

export const ArtifactConfirm = z
  .strictObject({ ...confirmed, content_type: z.enum(ARTIFACT_TYPES).optional() })
  .meta({ id: 'ArtifactConfirm' });

export const GoldenConfirm = z
  .strictObject({ ...confirmed, content_type: z.enum(IMAGE_TYPES).optional() })
  .meta({ id: 'GoldenConfirm' });

export const InferRequest = z
  .strictObject({
    model_name: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,100}$/, 'Letters, digits, - and _')
      .default('pcb_defect_detector'),
    batch_size: z.int().min(1).max(INFERENCE_BATCH_SIZE_MAX).default(INFERENCE_BATCH_SIZE_MAX).meta({
      description:
        'No batch with this board is larger; batches form across requests, of 4, 8 or 16 boards where they can.',
    }),
    confidence_threshold: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .default(null)
      .meta({ description: "null: the model's own." }),
    priority: z.enum(INFERENCE_PRIORITIES).default('normal'),
  })
  .meta({ id: 'InferRequest' });

const timestamp = z.iso.datetime();

const SecondOpinion = z
  .object({
    label: z.string().meta({ description: 'A label of the detector, or background: nothing is wrong there.' }),
    defect_type: z.enum(DEFECT_TYPES).nullable().meta({ description: 'Null for background.' }),
    probability: z.number().min(0).max(1),
    disagrees: z.boolean().meta({ description: 'Another label than the detector’s: for a person to look at.' }),
  })
  .meta({
    id: 'SecondOpinion',
    description:
      'What a classifier says that has seen the board around the defect only. Type, severity and verdict stay the detector’s.',
  });

export const Defect = z
  .object({
    id: z.uuid(),
    defect_type: z.enum(DEFECT_TYPES),
    label: z.string().meta({ description: "The model's own label." }),
    severity: z.enum(SEVERITIES),
    location: z
      .object({ x: z.number().min(0), y: z.number().min(0), width: z.number().min(0), height: z.number().min(0) })
      .meta({ description: 'Pixels of the inspected image, origin at its top left.' }),
    confidence: z.number().min(0).max(1),
    second_opinion: SecondOpinion.nullable().meta({ description: 'Null: nobody was asked.' }),
  })
  .meta({ id: 'Defect' });

export const Artifact = z
  .object({
    artifact_id: z.uuid(),
    storage_path: z.string(),
    content_type: z.string(),
    size_bytes: z.int(),
    checksum: z.string().meta({ description: 'MD5, hexadecimal.' }),
  })
  .meta({ id: 'Artifact' });

export const Inspection = z
  .object({
    id: z.uuid(),
    lot_id: z.uuid(),
    part_id: z.uuid(),
    chip_id: z.string(),
    inspection_type: z.enum(INSPECTION_TYPES),
    status: z.enum(INSPECTION_STATUSES),
    verdict: z.enum(['pass', 'fail']).nullable(),
    priority: z.int(),
    station_id: z.string().nullable(),
    line_id: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    artifacts: z.array(Artifact),
    defects: z.array(Defect),
    failure_reason: z.string().nullable(),
    attempts: z.int(),
    model_name: z.string().nullable(),
    model_version: z.string().nullable(),
    created_at: timestamp,
    updated_at: timestamp,
    started_at: timestamp.nullable(),
    completed_at: timestamp.nullable(),
  })
  .meta({ id: 'Inspection' });

export const InspectionPage = z
  .object({ data: z.array(Inspection), has_more: z.boolean(), next_cursor: z.string().nullable() })
  .meta({ id: 'InspectionPage' });

export const Part = z
  .object({
    id: z.uuid(),
    part_number: z.string(),
    part_type: z.string(),
    description: z.string().nullable(),
    golden: Artifact.nullable(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'Part' });

export const Lot = z
  .object({ id: z.uuid(), lot_number: z.string(), part_id: z.uuid(), quantity: z.int(), created_at: timestamp })
  .meta({ id: 'Lot' });

/** Folder names in Triton's model repository. */
export const modelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/);
const modelVersion = z.string().regex(/^[1-9][0-9]{0,8}$/, 'must be the number of a version');

const candidateMode = z.enum(CANDIDATE_MODES).meta({
  description:
    'split: it judges its share of the inspections. shadow: it sees them too, and its answers are only compared and counted.',
});

export const ModelDeploymentRequest = z
  .strictObject({
    production: modelVersion,
    candidate: z
      .strictObject({
        version: modelVersion,
        mode: candidateMode,
        share: z
          .number()
          .gt(0)
          .max(1)
          .default(1)
          .meta({ description: 'Share of the inspections, chosen by a stable hash of the inspection id.' }),
      })
      .nullish(),
  })
  .refine(({ production, candidate }) => candidate?.version !== production, {
    path: ['candidate', 'version'],
    message: 'must be another version than the one in production',
  })
  .meta({ id: 'ModelDeploymentRequest' });

export const ModelRollback = z.strictObject({}).meta({ id: 'ModelRollback' });

export const ModelDeployment = z
  .object({
    production: z.string(),
    candidate: z
      .object({
        version: z.string(),
        mode: z.string(),
        share: z.number(),
        suspended_at: timestamp.nullable().meta({
          description: 'Since when it judges no more because it went on failing: deploy or roll back to go on.',
        }),
      })
      .nullable(),
    previous: z.string().nullable().meta({ description: 'Where a rollback leads once there is no candidate.' }),
    revision: z.int().meta({ description: '0: nobody has deployed anything yet, the oldest version judges.' }),
    updated_at: timestamp.nullable(),
    updated_by: z.string().nullable(),
  })
  .meta({ id: 'ModelDeployment' });

export const Model = z
  .object({
    name: z.string(),
    versions: z.array(z.object({ version: z.string(), verdict_threshold: z.number() })),
    deployment: ModelDeployment.nullable().meta({
      description: 'Null for models that boards are not judged with by themselves.',
    }),
  })
  .meta({ id: 'Model' });

export const ModelList = z.object({ data: z.array(Model) }).meta({ id: 'ModelList' });

export const UploadTicket = z
  .object({
    artifact_id: z.uuid(),
    upload_url: z.url().meta({ description: 'PUT the bytes here, with the announced Content-Type.' }),
    expires_at: timestamp,
  })
  .meta({ id: 'UploadTicket' });

export const DownloadTicket = z
  .object({ artifact_id: z.uuid(), content_type: z.string(), download_url: z.url(), expires_at: timestamp })
  .meta({ id: 'DownloadTicket' });

export const InferAccepted = z
  .object({ request_id: z.uuid().meta({ description: 'The inference job.' }), estimated_completion: timestamp })
  .meta({ id: 'InferAccepted' });

export const ProblemDetails = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    errors: z
      .array(z.object({ in: z.enum(['body', 'path', 'query', 'header']), field: z.string(), message: z.string() }))
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

/** Without recursion: the value is the client's, and depth is just what must not hurt. */
function withinDepth(value: unknown, depthMax: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > depthMax) return false;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return true;
}

/** Only for values whose depth is known to be bounded. */
function allStorable(value: unknown): boolean {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => storable(name) && allStorable(member));
}
