import type { LotCreatePayload, LotView } from '@chip-quality/schemas';
import { z } from 'zod';
import { text, timestamp, uuid } from '../common-schemas.ts';
import type { FieldsOf } from '../fields-of.ts';

/** Body that makes a lot. */
export const LotCreate = z
  .strictObject({
    lot_number: text(100).meta({ description: 'Unique within the tenant.', examples: ['LOT-2026-11-23-A'] }),
    part_id: uuid,
    quantity: z.int().min(1).max(10_000_000),
  } satisfies FieldsOf<LotCreatePayload>)
  .meta({ id: 'LotCreate' });

/** The boards of one part that are made together, as answers describe them. */
export const Lot = z
  .object({
    id: z.uuid(),
    lot_number: z.string(),
    part_id: z.uuid(),
    quantity: z.int(),
    created_at: timestamp,
  } satisfies FieldsOf<LotView>)
  .meta({ id: 'Lot' });
