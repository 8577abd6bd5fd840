// Compiled with the rest, never run: what the API documents and checks has the fields that the platform's types have, no others.
import type {
  ArtifactView,
  DefectView,
  FieldError,
  InferAcceptedView,
  InferPayload,
  InspectionCreatePayload,
  InspectionView,
  LotCreatePayload,
  LotView,
  ModelDeploymentView,
  ModelDeployPayload,
  ModelView,
  PartCreatePayload,
  PartView,
  Problem,
} from '@chip-quality/schemas';
import { z } from 'zod';
import { Artifact } from '../../src/routes/artifacts/schema.ts';
import { ProblemDetails } from '../../src/routes/common-schemas.ts';
import type { FieldsOf } from '../../src/routes/fields-of.ts';
import {
  Defect,
  InferAccepted,
  InferRequest,
  Inspection,
  InspectionCreate,
} from '../../src/routes/inspections/schema.ts';
import { Lot, LotCreate } from '../../src/routes/lots/schema.ts';
import { Model, ModelDeployment, ModelDeploymentRequest } from '../../src/routes/models/schema.ts';
import { Part, PartCreate } from '../../src/routes/parts/schema.ts';

/** A type with its words and numbers widened, so that a schema may name the words that a type calls a string. */
type Wide<T> = T extends string
  ? string
  : T extends number
    ? number
    : T extends boolean
      ? boolean
      : T extends readonly (infer Item)[]
        ? readonly Wide<Item>[]
        : T extends object
          ? { readonly [Field in keyof T]: Wide<Exclude<T[Field], Absent<T, Field>>> }
          : T;
/** What `undefined` an optional field may be given: exact or not, it means that the field is absent. */
type Absent<T, Field extends keyof T> = Record<never, never> extends Pick<T, Field> ? undefined : never;

/** Compiles when a schema gives exactly the fields of `Shape`, all the way down. */
function gives<Shape>(): <Schema extends z.ZodType>(
  schema: Schema,
  ...same: (<T>() => T extends Wide<Shape> ? 1 : 2) extends <T>() => T extends Wide<z.output<Schema>> ? 1 : 2
    ? []
    : ['the schema has other fields']
) => void {
  return () => undefined;
}

gives<ArtifactView>()(Artifact);
gives<DefectView>()(Defect);
gives<InspectionView>()(Inspection);
gives<InferAcceptedView>()(InferAccepted);
gives<PartView>()(Part);
gives<LotView>()(Lot);
gives<ModelDeploymentView>()(ModelDeployment);
gives<ModelView>()(Model);
gives<Omit<Problem, 'instance'> & Required<Pick<Problem, 'instance'>>>()(ProblemDetails);
gives<PartCreatePayload>()(PartCreate);
gives<LotCreatePayload>()(LotCreate);
gives<Omit<InspectionCreatePayload, 'part_id'>>()(InspectionCreate);
gives<Omit<InferPayload, 'job_id' | 'golden'>>()(InferRequest);
gives<Omit<ModelDeployPayload, 'initial'>>()(ModelDeploymentRequest);

// What is exact is told from what is not, at any depth.
interface Box {
  readonly side: number;
  readonly lid: { readonly colour: string; readonly note?: string };
}
const lid = z.object({ colour: z.enum(['red', 'blue']), note: z.string().optional() });
gives<Box>()(z.object({ side: z.int(), lid }));
// @ts-expect-error the box has no weight
gives<Box>()(z.object({ side: z.int(), lid, weight: z.number() }));
// @ts-expect-error a field of the lid is missing, though it is optional
gives<Box>()(z.object({ side: z.int(), lid: lid.omit({ note: true }) }));
// @ts-expect-error the lid's note is optional
gives<Box>()(z.object({ side: z.int(), lid: z.object({ colour: z.string(), note: z.string() }) }));
// @ts-expect-error the side is not optional
gives<Box>()(z.object({ side: z.int().optional(), lid }));

// The same where schemas are written, at the field that is wrong.
const colour = z.string();
const note = z.string().optional();
export const told = [
  { colour, note } satisfies FieldsOf<Box['lid']>,
  // @ts-expect-error the field is missing in the schema
  { note } satisfies FieldsOf<Box['lid']>,
  // @ts-expect-error the field is missing in the schema, though it is optional
  { colour } satisfies FieldsOf<Box['lid']>,
  // @ts-expect-error the field is missing in the type
  { colour, note, size: z.int() } satisfies FieldsOf<Box['lid']>,
  // @ts-expect-error the field is optional in the type only
  { colour, note: z.string() } satisfies FieldsOf<Box['lid']>,
  // @ts-expect-error the field is optional in the schema only
  { colour: z.string().optional(), note } satisfies FieldsOf<Box['lid']>,
  // @ts-expect-error the field has another type
  { colour: z.int(), note } satisfies FieldsOf<Box['lid']>,
  // @ts-expect-error the word is not one of the type's
  { in: z.enum(['body', 'cookie']), field: z.string(), message: z.string() } satisfies FieldsOf<FieldError>,
];
