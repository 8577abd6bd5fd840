import type { z } from 'zod';
import type { RouteResponse } from '../http/route.ts';

const REPLAYED = {
  'Idempotent-Replayed': '"true" when this is the stored answer of an earlier request with the same key.',
};

/** A successful answer with a body. */
export function answers(description: string, schema: z.ZodType): RouteResponse {
  return { description, schema };
}

/** A successful answer to a command. */
export function commandAnswers(description: string, schema: z.ZodType): RouteResponse {
  return { description, schema, headers: REPLAYED };
}

/** Problems that commands have beside those of every route. */
export const COMMAND_PROBLEMS: Readonly<Record<number, RouteResponse>> = {
  409: { description: 'A request with this key is under way, or the state does not allow the change.' },
  422: { description: 'The key was used for another request, or the request refers to something unknown.' },
};

/** For routes whose path names one resource. */
export const NOT_FOUND: Readonly<Record<number, RouteResponse>> = {
  404: { description: 'There is no such resource.' },
};

/** For routes that hand out the address of an object. */
export const DOWNLOAD_PROBLEMS: Readonly<Record<number, RouteResponse>> = {
  ...NOT_FOUND,
  409: { description: 'The object was replaced or deleted after its confirmation.' },
};
