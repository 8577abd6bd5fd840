import {
  CANDIDATE_MODES,
  type ModelCandidateView,
  type ModelDeploymentView,
  type ModelDeployPayload,
  type ModelVersionView,
  type ModelView,
} from '@chip-quality/schemas';
import { z } from 'zod';
import { timestamp } from '../common-schemas.ts';
import type { FieldsOf } from '../fields-of.ts';

/** Folder names in Triton's model repository. */
export const modelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/);

const modelVersion = z.string().regex(/^[1-9][0-9]{0,8}$/, 'must be the number of a version');

const candidateMode = z.enum(CANDIDATE_MODES).meta({
  description:
    'split: it judges its share of the inspections. shadow: it sees them too, and its answers are only compared and counted.',
});

/** Body that says which versions of a model judge; the API adds which one does while nobody has said so. */
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
      } satisfies FieldsOf<NonNullable<ModelDeployPayload['candidate']>>)
      .nullish(),
  } satisfies FieldsOf<Omit<ModelDeployPayload, 'initial'>>)
  .refine(({ production, candidate }) => candidate?.version !== production, {
    path: ['candidate', 'version'],
    message: 'must be another version than the one in production',
  })
  .meta({ id: 'ModelDeploymentRequest' });

/** Body that takes the newest change back: it says nothing. */
export const ModelRollback = z.strictObject({}).meta({ id: 'ModelRollback' });

/** What is deployed of a model. */
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
      } satisfies FieldsOf<ModelCandidateView>)
      .nullable(),
    previous: z.string().nullable().meta({ description: 'Where a rollback leads once there is no candidate.' }),
    revision: z.int().meta({ description: '0: nobody has deployed anything yet, the oldest version judges.' }),
    updated_at: timestamp.nullable(),
    updated_by: z.string().nullable(),
  } satisfies FieldsOf<ModelDeploymentView>)
  .meta({ id: 'ModelDeployment' });

/** A model that boards can be judged with: its versions, and which of them judge. */
export const Model = z
  .object({
    name: z.string(),
    versions: z.array(
      z.object({ version: z.string(), verdict_threshold: z.number() } satisfies FieldsOf<ModelVersionView>),
    ),
    deployment: ModelDeployment.nullable().meta({
      description: 'Null for models that boards are not judged with by themselves.',
    }),
  } satisfies FieldsOf<ModelView>)
  .meta({ id: 'Model' });

/** All models of the repository. */
export const ModelList = z.object({ data: z.array(Model) }).meta({ id: 'ModelList' });
