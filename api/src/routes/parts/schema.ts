import type { PartCreatePayload, PartView } from '@chip-quality/schemas';
import { z } from 'zod';
import { Artifact, confirmedFields, filename, IMAGE_TYPES } from '../artifacts/schema.ts';
import { isStorable, NOT_STORABLE, text, timestamp } from '../common-schemas.ts';
import type { FieldsOf } from '../fields-of.ts';

/** Body that makes a part. */
export const PartCreate = z
  .strictObject({
    part_number: text(100).meta({ description: 'Unique within the tenant.', examples: ['PCB-44000'] }),
    part_type: text(50).meta({ examples: ['pcb'] }),
    description: z.string().max(1000).refine(isStorable, NOT_STORABLE).nullable().default(null),
  } satisfies FieldsOf<PartCreatePayload>)
  .meta({ id: 'PartCreate' });

/** A kind of board, with its golden image where it has one, as answers describe it. */
export const Part = z
  .object({
    id: z.uuid(),
    part_number: z.string(),
    part_type: z.string(),
    description: z.string().nullable(),
    golden: Artifact.nullable(),
    created_at: timestamp,
    updated_at: timestamp,
  } satisfies FieldsOf<PartView>)
  .meta({ id: 'Part' });

/** Body that asks for an address to upload a golden image to. */
export const GoldenPresign = z
  .strictObject({ filename, content_type: z.enum(IMAGE_TYPES) })
  .meta({ id: 'GoldenPresign', description: 'The golden image: what a faultless board of this part looks like.' });

/** Body that says that a golden image is uploaded. */
export const GoldenConfirm = z
  .strictObject({ ...confirmedFields, content_type: z.enum(IMAGE_TYPES).optional() })
  .meta({ id: 'GoldenConfirm' });
