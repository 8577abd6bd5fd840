import {
  DEFAULT_MODEL_NAME,
  DEFECT_TYPES,
  type DefectView,
  INFERENCE_BATCH_SIZE_MAX,
  INFERENCE_PRIORITIES,
  INSPECTION_STATUSES,
  INSPECTION_TYPES,
  type InferAcceptedView,
  type InferPayload,
  type InspectionCreatePayload,
  type InspectionView,
  SEVERITIES,
  type SecondOpinionView,
} from '@chip-quality/schemas';
import { z } from 'zod';
import { Artifact } from '../artifacts/schema.ts';
import { text, timestamp, uuid } from '../common-schemas.ts';
import { decodeCursor } from '../cursor.ts';
import type { FieldsOf } from '../fields-of.ts';
import { Metadata } from '../metadata-schemas.ts';

/** Body that makes an inspection; the API adds the part of its lot. */
export const InspectionCreate = z
  .strictObject({
    lot_id: uuid,
    chip_id: text(100).meta({ examples: ['44000-0017'] }),
    inspection_type: z.enum(INSPECTION_TYPES),
    priority: z.int().min(1).max(10).default(5).meta({ description: '1–3 low, 4–6 normal, 7–8 high, 9–10 critical.' }),
    station_id: text(100).nullable().default(null),
    line_id: text(100).nullable().default(null).meta({ description: 'Line whose yield the board counts for.' }),
    metadata: Metadata.default({}),
  } satisfies FieldsOf<Omit<InspectionCreatePayload, 'part_id'>>)
  .meta({ id: 'InspectionCreate' });

/** Body that asks for an inference; the API adds what it resolves. */
export const InferRequest = z
  .strictObject({
    model_name: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,100}$/, 'Letters, digits, - and _')
      .default(DEFAULT_MODEL_NAME),
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
  } satisfies FieldsOf<Omit<InferPayload, 'job_id' | 'golden'>>)
  .meta({ id: 'InferRequest' });

const SecondOpinion = z
  .object({
    label: z.string().meta({ description: 'A label of the detector, or background: nothing is wrong there.' }),
    defect_type: z.enum(DEFECT_TYPES).nullable().meta({ description: 'Null for background.' }),
    probability: z.number().min(0).max(1),
    disagrees: z.boolean().meta({ description: 'Another label than the detector’s: for a person to look at.' }),
  } satisfies FieldsOf<SecondOpinionView>)
  .meta({
    id: 'SecondOpinion',
    description:
      'What a classifier says that has seen the board around the defect only. Type, severity and verdict stay the detector’s.',
  });

/** What the detector found at one place of a board, as answers describe it. */
export const Defect = z
  .object({
    id: z.uuid(),
    defect_type: z.enum(DEFECT_TYPES),
    label: z.string().meta({ description: "The model's own label." }),
    severity: z.enum(SEVERITIES),
    location: z
      .object({
        x: z.number().min(0),
        y: z.number().min(0),
        width: z.number().min(0),
        height: z.number().min(0),
      } satisfies FieldsOf<DefectView['location']>)
      .meta({ description: 'Pixels of the inspected image, origin at its top left.' }),
    confidence: z.number().min(0).max(1),
    second_opinion: SecondOpinion.nullable().meta({ description: 'Null: nobody was asked.' }),
  } satisfies FieldsOf<DefectView>)
  .meta({ id: 'Defect' });

/**
 * One board's inspection as answers describe it: `verdict`, `defects` and model are those of the last attempt, null or
 * empty before it has ended.
 */
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
  } satisfies FieldsOf<InspectionView>)
  .meta({ id: 'Inspection' });

/** A page of the list of inspections. */
export const InspectionPage = z
  .object({ data: z.array(Inspection), has_more: z.boolean(), next_cursor: z.string().nullable() })
  .meta({ id: 'InspectionPage' });

/** The answer to a request for an inference. */
export const InferAccepted = z
  .object({
    request_id: z.uuid().meta({ description: 'The inference job.' }),
    estimated_completion: timestamp,
  } satisfies FieldsOf<InferAcceptedView>)
  .meta({ id: 'InferAccepted' });

/** Query values are text: numbers are read strictly, since `Number('')` is 0. */
const limit = z
  .string()
  .regex(/^\d{1,3}$/, 'A whole number from 1 to 100')
  .transform(Number)
  .pipe(z.int().min(1).max(100))
  .default(20)
  .meta({ description: 'From 1 to 100.' });

/** What a client may ask of the list of inspections. */
export const ListQuery = z.strictObject({
  cursor: z
    .string()
    .max(200)
    .refine((value) => decodeCursor(value) !== undefined, 'Not a cursor of this API')
    .optional()
    .meta({ description: '`next_cursor` of the page before.' }),
  limit,
  status: z.enum(INSPECTION_STATUSES).optional(),
  chip_id: z.string().min(1).max(100).optional(),
  lot_id: uuid.optional(),
});
