import { type CommandGateway, lotId, type Queries } from '@chip-quality/schemas';
import { z } from 'zod';
import { json } from '../../http/response.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { execute } from '../commands.ts';
import { uuid } from '../common-schemas.ts';
import { answers, COMMAND_PROBLEMS, commandAnswers, NOT_FOUND } from '../documented-responses.ts';
import { found, referred } from '../lookup.ts';
import { Lot, LotCreate } from './schema.ts';

const TAG = 'Lots';
const query = z.strictObject({});

/** Lots: the boards of one part that are made together. */
export function lotRoutes(gateway: CommandGateway, queries: Queries): Route[] {
  return [createLot(gateway, queries), getLot(queries)];
}

function createLot(gateway: CommandGateway, queries: Queries): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/lots',
    operationId: 'createLot',
    summary: 'Create a lot',
    tag: TAG,
    scope: 'lots:write',
    params: z.object({}),
    query,
    body: LotCreate,
    idempotencyKey: 'required',
    responses: { 201: commandAnswers('The lot.', Lot), ...COMMAND_PROBLEMS },
    handle: async (context) => {
      const { principal, body } = context;
      referred(await queries.part(principal.tenantId, body.part_id), 'part', 'part_id', body.part_id);
      const id = lotId(principal.tenantId, body.lot_number);
      const location = `/v1/lots/${id}`;
      return execute(gateway, context, { operation: 'lot.create', resourceId: id, payload: body, location });
    },
  });
}

function getLot(queries: Queries): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/lots/{lot_id}',
    operationId: 'getLot',
    summary: 'Read a lot',
    tag: TAG,
    scope: 'inspections:read',
    params: z.object({ lot_id: uuid }),
    query,
    idempotencyKey: 'none',
    responses: { 200: answers('The lot.', Lot), ...NOT_FOUND },
    handle: async ({ principal, params: { lot_id } }) =>
      json(200, found(await queries.lot(principal.tenantId, lot_id), 'lot', lot_id)),
  });
}
