import {
  type CommandGateway,
  commandId,
  type InspectionFilter,
  inspectionId,
  jobId,
  type Queries,
} from '@chip-quality/schemas';
import { z } from 'zod';
import { json } from '../../http/response.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { execute } from '../commands.ts';
import { uuid } from '../common-schemas.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { answers, COMMAND_PROBLEMS, commandAnswers, NOT_FOUND } from '../documented-responses.ts';
import { found, referred } from '../lookup.ts';
import { InferAccepted, InferRequest, Inspection, InspectionCreate, InspectionPage, ListQuery } from './schema.ts';

const TAG = 'Inspections';
const params = z.object({ inspection_id: uuid });
const noQuery = z.strictObject({});

/** Inspections: create, read, list, infer. */
export function inspectionRoutes(gateway: CommandGateway, queries: Queries): Route[] {
  return [
    createInspection(gateway, queries),
    listInspections(queries),
    getInspection(queries),
    inferInspection(gateway, queries),
  ];
}

function createInspection(gateway: CommandGateway, queries: Queries): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/inspections',
    operationId: 'createInspection',
    summary: 'Create an inspection',
    description: 'There is one inspection per lot, chip and type: another key for the same three is refused with 409.',
    tag: TAG,
    scope: 'inspections:write',
    params: z.object({}),
    query: noQuery,
    body: InspectionCreate,
    idempotencyKey: 'required',
    responses: { 201: commandAnswers('The inspection.', Inspection), ...COMMAND_PROBLEMS },
    handle: async (context) => {
      const { principal, body } = context;
      const lot = referred(await queries.lot(principal.tenantId, body.lot_id), 'lot', 'lot_id', body.lot_id);
      const id = inspectionId(principal.tenantId, body.lot_id, body.chip_id, body.inspection_type);
      const payload = { ...body, part_id: lot.part_id };
      const location = `/v1/inspections/${id}`;
      return execute(gateway, context, { operation: 'inspection.create', resourceId: id, payload, location });
    },
  });
}

function listInspections(queries: Queries): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/inspections',
    operationId: 'listInspections',
    summary: 'List inspections, newest first',
    description:
      'A filter that few inspections pass may give a page that is short, even empty, while `has_more` says to go on.',
    tag: TAG,
    scope: 'inspections:read',
    params: z.object({}),
    query: ListQuery,
    idempotencyKey: 'none',
    responses: {
      200: { description: 'One page.', schema: InspectionPage, headers: { Link: 'rel="next" while there is more.' } },
    },
    handle: async ({ principal, query, path, search }) => {
      const { views, resumeAfter } = await queries.inspections(principal.tenantId, toFilter(query));
      const data = views.slice(0, query.limit);
      const last = views.length > query.limit ? data.at(-1) : undefined;
      const position = last === undefined ? resumeAfter : { createdAtMs: Date.parse(last.created_at), id: last.id };
      if (position === undefined) return json(200, { data, has_more: false, next_cursor: null });
      const cursor = encodeCursor(position);
      const next = new URLSearchParams(search);
      next.set('cursor', cursor);
      const headers = { Link: `<${path}?${next}>; rel="next"` };
      return json(200, { data, has_more: true, next_cursor: cursor }, headers);
    },
  });
}

function getInspection(queries: Queries): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/inspections/{inspection_id}',
    operationId: 'getInspection',
    summary: 'Read an inspection with its artifacts and defects',
    tag: TAG,
    scope: 'inspections:read',
    params,
    query: noQuery,
    idempotencyKey: 'none',
    responses: { 200: answers('The inspection.', Inspection), ...NOT_FOUND },
    handle: async ({ principal, params: { inspection_id: id } }) =>
      json(200, found(await queries.inspection(principal.tenantId, id), 'inspection', id)),
  });
}

function inferInspection(gateway: CommandGateway, queries: Queries): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/inspections/{inspection_id}/infer',
    operationId: 'inferInspection',
    summary: 'Queue an inference over the inspection’s images',
    description: 'Another request is another attempt; first-pass yield counts the first.',
    tag: TAG,
    scope: 'inspections:write',
    params,
    query: noQuery,
    body: InferRequest,
    bodyOptional: true,
    idempotencyKey: 'required',
    responses: { 202: commandAnswers('Queued.', InferAccepted), ...NOT_FOUND, ...COMMAND_PROBLEMS },
    handle: async (context) => {
      const { tenantId } = context.principal;
      const id = context.params.inspection_id;
      const inspection = found(await queries.inspection(tenantId, id), 'inspection', id);
      const part = await queries.part(tenantId, inspection.part_id);
      const payload = {
        ...context.body,
        job_id: jobId(commandId(tenantId, context.idempotencyKey)),
        golden: part?.golden ?? null,
      };
      return execute(gateway, context, { operation: 'inspection.infer', resourceId: id, payload });
    },
  });
}

function toFilter(query: z.output<typeof ListQuery>): InspectionFilter {
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  return {
    limit: query.limit,
    ...(after === undefined ? {} : { after }),
    ...(query.status === undefined ? {} : { status: query.status }),
    ...(query.chip_id === undefined ? {} : { chipId: query.chip_id }),
    ...(query.lot_id === undefined ? {} : { lotId: query.lot_id }),
  };
}
