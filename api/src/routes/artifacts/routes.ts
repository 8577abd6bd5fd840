import { artifactId, type CommandGateway, inspectionImagePath, type Queries } from '@chip-quality/schemas';
import { z } from 'zod';
import { defineRoute, type Route } from '../../http/route.ts';
import { execute } from '../commands.ts';
import { uuid } from '../common-schemas.ts';
import { answers, COMMAND_PROBLEMS, commandAnswers, DOWNLOAD_PROBLEMS, NOT_FOUND } from '../documented-responses.ts';
import { found } from '../lookup.ts';
import { confirmUpload, download, presignUpload, type UploadContext } from '../uploads.ts';
import { ARTIFACT_TYPES, Artifact, ArtifactConfirm, ArtifactPresign, DownloadTicket, UploadTicket } from './schema.ts';

const TAG = 'Artifacts';
const params = z.object({ inspection_id: uuid });
const query = z.strictObject({});

/** Images and other files of an inspection. The bytes never pass through the API. */
export function artifactRoutes(gateway: CommandGateway, queries: Queries, uploads: UploadContext): Route[] {
  return [presignArtifact(queries, uploads), confirmArtifact(gateway, queries, uploads), getArtifact(queries, uploads)];
}

function presignArtifact(queries: Queries, uploads: UploadContext): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/inspections/{inspection_id}/artifacts',
    operationId: 'presignArtifact',
    summary: 'Get an address to upload an artifact to',
    description: 'Repeating the request with the same Idempotency-Key (or file name) gives the same artifact id.',
    tag: TAG,
    scope: 'inspections:write',
    params,
    query,
    body: ArtifactPresign,
    idempotencyKey: 'optional',
    responses: { 200: answers('Where to PUT the bytes.', UploadTicket), ...NOT_FOUND },
    handle: async ({ principal, params: { inspection_id: id }, body, idempotencyKey }) => {
      found(await queries.inspection(principal.tenantId, id), 'inspection', id);
      const artifact = artifactId(id, idempotencyKey || body.filename);
      return presignUpload(uploads, artifact, inspectionImagePath(id, artifact), body.content_type);
    },
  });
}

function confirmArtifact(gateway: CommandGateway, queries: Queries, uploads: UploadContext): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/inspections/{inspection_id}/artifacts/confirm',
    operationId: 'confirmArtifact',
    summary: 'Confirm that an artifact is uploaded',
    tag: TAG,
    scope: 'inspections:write',
    params,
    query,
    body: ArtifactConfirm,
    idempotencyKey: 'required',
    responses: {
      200: commandAnswers('The artifact.', Artifact),
      413: { description: 'The object is too large.' },
      ...NOT_FOUND,
      ...COMMAND_PROBLEMS,
    },
    handle: async (context) => {
      const id = context.params.inspection_id;
      found(await queries.inspection(context.principal.tenantId, id), 'inspection', id);
      const path = inspectionImagePath(id, context.body.artifact_id);
      const payload = await confirmUpload(uploads, path, context.body, ARTIFACT_TYPES);
      return execute(gateway, context, {
        operation: 'inspection.confirm_artifact',
        resourceId: id,
        payload,
      });
    },
  });
}

function getArtifact(queries: Queries, uploads: UploadContext): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/inspections/{inspection_id}/artifacts/{artifact_id}',
    operationId: 'getArtifact',
    summary: 'Get an address to download an artifact from',
    tag: TAG,
    scope: 'inspections:read',
    params: params.extend({ artifact_id: uuid }),
    query,
    idempotencyKey: 'none',
    responses: {
      200: answers('Where the bytes are (with `Accept: application/json`).', DownloadTicket),
      302: { description: 'To the bytes.' },
      ...DOWNLOAD_PROBLEMS,
    },
    handle: async ({ principal, params: { inspection_id: id, artifact_id }, accept }) => {
      const inspection = found(await queries.inspection(principal.tenantId, id), 'inspection', id);
      const artifact = inspection.artifacts.find((candidate) => candidate.artifact_id === artifact_id);
      return download(uploads, found(artifact, 'artifact', artifact_id), accept);
    },
  });
}
