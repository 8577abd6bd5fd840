import type { FieldError, Problem } from '@chip-quality/schemas';
import { z } from 'zod';
import type { FieldsOf } from './fields-of.ts';

/** Neither text nor jsonb of PostgreSQL holds NUL or half a surrogate pair: what has one could never be projected. */
export const isStorable = (value: string): boolean => value.isWellFormed() && !value.includes('\0');

/** What a client hears of text that can't be stored. */
export const NOT_STORABLE = 'NUL and unpaired surrogates are not allowed';

/** One line of printable text, 1 to `max` characters. */
export const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, 'Control characters are not allowed')
    .refine(isStorable, NOT_STORABLE);

/** An id in a request, in either case. */
export const uuid = z.uuid().toLowerCase();

/** A moment in an answer, ISO 8601 in UTC. */
export const timestamp = z.iso.datetime();

/** Problem details, as every answer with a status of 400 or more has them. */
export const ProblemDetails = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    errors: z
      .array(
        z.object({
          in: z.enum(['body', 'path', 'query', 'header']),
          field: z.string(),
          message: z.string(),
        } satisfies FieldsOf<FieldError>),
      )
      .optional(),
  } satisfies FieldsOf<Problem & { readonly instance: string }>)
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });
