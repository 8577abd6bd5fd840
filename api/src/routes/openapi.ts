import { z } from 'zod';
import type { Link } from '../http/link.ts';
import { PROBLEM_CONTENT_TYPE } from '../http/problem.ts';
import { parameterNames, type Route, type RouteResponse } from '../http/route.ts';
import { ProblemDetails } from './common-schemas.ts';

type Json = Record<string, unknown>;

const COMMON_PROBLEMS: Readonly<Record<number, RouteResponse>> = {
  400: { description: 'The request is not valid; `errors` names the fields.' },
  503: { description: 'Not available at the moment.', headers: { 'Retry-After': 'Seconds to wait.' } },
};

const BODY_PROBLEMS: Readonly<Record<number, RouteResponse>> = {
  413: { description: 'The body is too large.' },
  415: { description: 'The body is not application/json.' },
};

/**
 * The OpenAPI 3.1 document, generated from the same schemas that the routes validate with and from what the links before them
 * refuse. OpenAPI 3.1 uses JSON Schema 2020-12, which zod writes by itself.
 */
export function openApiDocument(routes: readonly Route[], links: readonly Link[]): Json {
  const refusals = Object.assign({}, ...links.map(({ problems }) => problems)) as Link['problems'];
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, refusals) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Chip Quality Platform',
      version: '1.0.0',
      description:
        'Inspection of circuit boards: create an inspection, upload its image, confirm, infer, read the verdict. ' +
        'Errors are RFC 9457 problem details. Commands need an Idempotency-Key and may be repeated with it. ' +
        'Live yield and boards come over the WebSocket `/v1/live`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: componentSchemas(),
    },
  };
}

function operation(route: Route, refusals: Link['problems']): Json {
  const bodyProblems = route.body === undefined ? {} : BODY_PROBLEMS;
  const responses = { ...COMMON_PROBLEMS, ...refusals, ...bodyProblems, ...route.responses };
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [route.tag],
    security: [{ bearer: [route.scope] }],
    parameters: [
      ...parameterNames(route.path).map((name) => parameter('path', name, route.params.shape[name] as z.ZodType, true)),
      ...Object.entries(route.query.shape).map(([name, schema]) =>
        parameter('query', name, schema as z.ZodType, !(schema as z.ZodType).safeParse(undefined).success),
      ),
      ...(route.idempotencyKey === 'none'
        ? []
        : [parameter('header', 'Idempotency-Key', IdempotencyKey, route.idempotencyKey === 'required')]),
    ],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: route.bodyOptional !== true,
            content: { 'application/json': { schema: reference(route.body) } },
          },
        }),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, response]) => [status, documented(Number(status), response)]),
    ),
  };
}

const IdempotencyKey = z.string().min(1).max(255).meta({ description: 'The same key never has a second effect.' });

function parameter(where: 'path' | 'query' | 'header', name: string, schema: z.ZodType, required: boolean): Json {
  const { description, ...rest } = inline(schema);
  return { name, in: where, required, ...(description === undefined ? {} : { description }), schema: rest };
}

function documented(status: number, response: RouteResponse): Json {
  const schema = response.schema ?? (status >= 400 ? ProblemDetails : undefined);
  const mediaType = status >= 400 ? PROBLEM_CONTENT_TYPE : 'application/json';
  const headers = Object.entries(response.headers ?? {}).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  return {
    description: response.description,
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
    ...(schema === undefined ? {} : { content: { [mediaType]: { schema: reference(schema) } } }),
  };
}

/** Bodies are always named schemas, so that generated clients get usable type names. */
function reference(schema: z.ZodType): Json {
  const id = schema.meta()?.id;
  if (id === undefined) throw new Error('A schema in the OpenAPI document has no id');
  return { $ref: `#/components/schemas/${id}` };
}

function inline(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

function componentSchemas(): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { io: 'input', uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(
    Object.entries(schemas)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { $schema: _, $id: __, ...rest }]) => [id, rest]),
  );
}
