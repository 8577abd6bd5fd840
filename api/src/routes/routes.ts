import type { CommandGateway, Models, Objects, Queries } from '@chip-quality/schemas';
import type { ApiLimits } from '../http/limits.ts';
import type { Route } from '../http/route.ts';
import type { ApiClock } from '../ports.ts';
import { artifactRoutes } from './artifacts/routes.ts';
import { inspectionRoutes } from './inspections/routes.ts';
import { lotRoutes } from './lots/routes.ts';
import { modelRoutes } from './models/routes.ts';
import { partRoutes } from './parts/routes.ts';

/** Ports that the routes ask. */
export interface RoutePorts {
  readonly gateway: CommandGateway;
  readonly queries: Queries;
  readonly objects: Objects;
  readonly models: Models;
  readonly clock: ApiClock;
}

/** Every documented operation of the API. */
export function apiRoutes({ gateway, queries, objects, models, clock }: RoutePorts, limits: ApiLimits): Route[] {
  const uploads = { objects, clock, limits };
  return [
    ...partRoutes(gateway, queries, uploads),
    ...lotRoutes(gateway, queries),
    ...inspectionRoutes(gateway, queries),
    ...artifactRoutes(gateway, queries, uploads),
    ...modelRoutes(gateway, models),
  ];
}
