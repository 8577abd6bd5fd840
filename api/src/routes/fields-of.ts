import type { z } from 'zod';

/**
 * The fields that a zod object must have to be `Shape`: `z.object({ … } satisfies FieldsOf<Shape>)` does not compile when the two
 * differ in a field, or when a field is optional in one of them only. Objects inside need a `satisfies` of their own.
 */
export type FieldsOf<Shape> = {
  readonly [Field in keyof Shape]-?: Record<never, never> extends Pick<Shape, Field>
    ? z.ZodOptional<z.ZodType<Exclude<Shape[Field], undefined>>>
    : z.ZodType<Shape[Field]>;
};
