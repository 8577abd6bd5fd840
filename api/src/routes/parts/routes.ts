import { artifactId, type CommandGateway, goldenImagePath, partId, type Queries } from '@chip-quality/schemas';
import { z } from 'zod';
import { json } from '../../http/response.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { Artifact, DownloadTicket, IMAGE_TYPES, UploadTicket } from '../artifacts/schema.ts';
import { execute } from '../commands.ts';
import { uuid } from '../common-schemas.ts';
import { answers, COMMAND_PROBLEMS, commandAnswers, DOWNLOAD_PROBLEMS, NOT_FOUND } from '../documented-responses.ts';
import { found } from '../lookup.ts';
import { confirmUpload, download, presignUpload, type UploadContext } from '../uploads.ts';
import { GoldenConfirm, GoldenPresign, Part, PartCreate } from './schema.ts';

const TAG = 'Parts';
const params = z.object({ part_id: uuid });
const query = z.strictObject({});

/** Parts and their golden images. */
export function partRoutes(gateway: CommandGateway, queries: Queries, uploads: UploadContext): Route[] {
  return [
    createPart(gateway),
    getPart(queries),
    presignGolden(queries, uploads),
    confirmGolden(gateway, queries, uploads),
    getGolden(queries, uploads),
  ];
}

function createPart(gateway: CommandGateway): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/parts',
    operationId: 'createPart',
    summary: 'Create a part',
    tag: TAG,
    scope: 'parts:write',
    params: z.object({}),
    query,
    body: PartCreate,
    idempotencyKey: 'required',
    responses: { 201: commandAnswers('The part.', Part), ...COMMAND_PROBLEMS },
    handle: (context) => {
      const id = partId(context.principal.tenantId, context.body.part_number);
      const location = `/v1/parts/${id}`;
      return execute(gateway, context, { operation: 'part.create', resourceId: id, payload: context.body, location });
    },
  });
}

function getPart(queries: Queries): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/parts/{part_id}',
    operationId: 'getPart',
    summary: 'Read a part',
    tag: TAG,
    scope: 'inspections:read',
    params,
    query,
    idempotencyKey: 'none',
    responses: { 200: answers('The part.', Part), ...NOT_FOUND },
    handle: async ({ principal, params: { part_id } }) =>
      json(200, found(await queries.part(principal.tenantId, part_id), 'part', part_id)),
  });
}

function presignGolden(queries: Queries, uploads: UploadContext): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/parts/{part_id}/artifacts',
    operationId: 'presignGolden',
    summary: "Get an address to upload a part's golden image to",
    description: 'Repeating the request with the same Idempotency-Key (or file name) gives the same artifact id.',
    tag: TAG,
    scope: 'parts:write',
    params,
    query,
    body: GoldenPresign,
    idempotencyKey: 'optional',
    responses: { 200: answers('Where to PUT the image.', UploadTicket), ...NOT_FOUND },
    handle: async ({ principal, params: { part_id }, body, idempotencyKey }) => {
      found(await queries.part(principal.tenantId, part_id), 'part', part_id);
      const artifact = artifactId(part_id, idempotencyKey || body.filename);
      return presignUpload(uploads, artifact, goldenImagePath(part_id, artifact), body.content_type);
    },
  });
}

function confirmGolden(gateway: CommandGateway, queries: Queries, uploads: UploadContext): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/parts/{part_id}/artifacts/confirm',
    operationId: 'confirmGolden',
    summary: "Confirm the upload: the image becomes the part's golden image",
    tag: TAG,
    scope: 'parts:write',
    params,
    query,
    body: GoldenConfirm,
    idempotencyKey: 'required',
    responses: {
      200: commandAnswers('The golden image.', Artifact),
      413: { description: 'The object is too large.' },
      ...NOT_FOUND,
      ...COMMAND_PROBLEMS,
    },
    handle: async (context) => {
      const { part_id } = context.params;
      found(await queries.part(context.principal.tenantId, part_id), 'part', part_id);
      const path = goldenImagePath(part_id, context.body.artifact_id);
      const payload = await confirmUpload(uploads, path, context.body, IMAGE_TYPES);
      return execute(gateway, context, {
        operation: 'part.confirm_golden',
        resourceId: part_id,
        payload,
      });
    },
  });
}

function getGolden(queries: Queries, uploads: UploadContext): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/parts/{part_id}/golden',
    operationId: 'getGolden',
    summary: "Get an address to download a part's golden image from",
    tag: TAG,
    scope: 'inspections:read',
    params,
    query,
    idempotencyKey: 'none',
    responses: {
      200: answers('Where the image is (with `Accept: application/json`).', DownloadTicket),
      302: { description: 'To the image.' },
      ...DOWNLOAD_PROBLEMS,
    },
    handle: async ({ principal, params: { part_id }, accept }) => {
      const part = found(await queries.part(principal.tenantId, part_id), 'part', part_id);
      return download(uploads, found(part.golden ?? undefined, 'golden image of part', part_id), accept);
    },
  });
}
