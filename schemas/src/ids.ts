import { v5 } from 'uuid';

/** Namespace of every UUIDv5 that the platform derives. Changing it changes all ids: never do. */
export const PLATFORM_NAMESPACE = '6f1d3c52-8a47-5b0e-9d3e-2c7a51f0b864';

/** Line of inspections that name none, in keys and events of `line.yield`. */
export const UNASSIGNED_LINE = 'unassigned';

/** `|` separates the parts of a key; escaping the tenant keeps `a|b` + `c` and `a` + `b|c` apart. */
function tenantPart(tenantId: string): string {
  return encodeURIComponent(tenantId);
}

/** Id of a part: the same tenant and part number always give the same UUIDv5. */
export function partId(tenantId: string, partNumber: string): string {
  return v5(`${tenantPart(tenantId)}|part|${partNumber}`, PLATFORM_NAMESPACE);
}

/** Id of a lot: UUIDv5 of tenant and lot number. */
export function lotId(tenantId: string, lotNumber: string): string {
  return v5(`${tenantPart(tenantId)}|lot|${lotNumber}`, PLATFORM_NAMESPACE);
}

/** Id of an inspection, so that "one per lot, chip and type" is a rule within one key of one partition. */
export function inspectionId(tenantId: string, lot: string, chipId: string, inspectionType: string): string {
  return v5(`${tenantPart(tenantId)}|${lot}|${chipId}|${inspectionType}`, PLATFORM_NAMESPACE);
}

/** Id of an artifact of an inspection or part (`ownerId`), from what tells the client's uploads apart (key or file name). */
export function artifactId(ownerId: string, discriminator: string): string {
  return v5(`${ownerId}|artifact|${discriminator}`, PLATFORM_NAMESPACE);
}

/** Id of the command that a tenant's Idempotency-Key stands for. */
export function commandId(tenantId: string, idempotencyKey: string): string {
  return v5(`${tenantPart(tenantId)}|command|${idempotencyKey}`, PLATFORM_NAMESPACE);
}

/** Id of the inference job that a command starts. */
export function jobId(command: string): string {
  return v5(`${command}|job`, PLATFORM_NAMESPACE);
}

/** Id of the `index`-th event caused by one input record: a redelivery makes the same ids. */
export function eventId(topic: string, partition: number, offset: number, index: number): string {
  return v5(`${topic}|${partition}|${offset}|${index}`, PLATFORM_NAMESPACE);
}

/** Id of the `index`-th thing derived from another id, e.g. the defects of a job. */
export function derivedId(parentId: string, index: number): string {
  return v5(`${parentId}|${index}`, PLATFORM_NAMESPACE);
}

/** Record key on api.requests, api.replies and api.responses. */
export function requestKey(tenantId: string, idempotencyKey: string): string {
  return `${tenantPart(tenantId)}|${idempotencyKey}`;
}

/** Record key on line.yield. */
export function lineKey(tenantId: string, lineId: string | null): string {
  return `${tenantPart(tenantId)}|${lineId ?? UNASSIGNED_LINE}`;
}

/** Tenant and line of a {@link lineKey}. */
export function parseLineKey(key: string): {
  /** Who the line belongs to. */
  readonly tenantId: string;
  /** The line, or {@link UNASSIGNED_LINE}. */
  readonly lineId: string;
} {
  const separator = key.indexOf('|');
  return { tenantId: decodeURIComponent(key.slice(0, separator)), lineId: key.slice(separator + 1) };
}

/** Where the raw image of an inspection lies in the bucket. */
export function inspectionImagePath(inspection: string, artifact: string): string {
  return `inspections/${inspection}/raw/${artifact}.jpg`;
}

/** Where the golden image of a part lies in the bucket. */
export function goldenImagePath(part: string, artifact: string): string {
  return `parts/${part}/golden/${artifact}.jpg`;
}
