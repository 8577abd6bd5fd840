import type { ArtifactConfirmPayload, ArtifactView, Objects } from '@chip-quality/schemas';
import type { z } from 'zod';
import type { HttpResult } from '../http/exchange.ts';
import type { ApiLimits } from '../http/limits.ts';
import { ProblemError } from '../http/problem.ts';
import { json } from '../http/response.ts';
import type { ApiClock } from '../ports.ts';
import type { ArtifactConfirm, DownloadTicket, UploadTicket } from './artifacts/schema.ts';

/** Ports and bounds of everything about objects. */
export interface UploadContext {
  readonly objects: Objects;
  readonly clock: ApiClock;
  readonly limits: ApiLimits;
}

/** What a client says about an object it has uploaded. */
export type UploadClaim = z.output<typeof ArtifactConfirm>;

/** What stores say of an object that was sent without a content type. */
const UNSPECIFIC_TYPES = new Set(['', 'application/octet-stream', 'binary/octet-stream']);

/** Answers with a presigned PUT address. Nothing is stored: the artifact exists once it is confirmed. */
export async function presignUpload(
  { objects, clock, limits }: UploadContext,
  artifactId: string,
  storagePath: string,
  contentType: string,
): Promise<HttpResult> {
  const expiresInSeconds = limits.uploadUrlSeconds;
  const expiresAt = new Date(clock.nowMs() + expiresInSeconds * 1000).toISOString();
  const uploadUrl = await objects.presignPut(storagePath, { contentType, expiresInSeconds });
  return json(200, {
    artifact_id: artifactId,
    upload_url: uploadUrl,
    expires_at: expiresAt,
  } satisfies z.output<typeof UploadTicket>);
}

/**
 * Looks at the uploaded object and returns the facts that go into the command. A presigned PUT has no size limit and
 * takes any bytes, so size, type and checksum are only known here.
 *
 * @throws ProblemError 409 not uploaded, 413 too large, 422 not what the client says it is
 */
export async function confirmUpload(
  { objects, limits }: UploadContext,
  storagePath: string,
  claim: UploadClaim,
  allowedTypes: readonly string[],
): Promise<ArtifactConfirmPayload> {
  const head = await objects.head(storagePath);
  if (head === undefined) {
    throw new ProblemError('not-uploaded', `Nothing was uploaded for the artifact ${claim.artifact_id} yet.`);
  }
  if (head.sizeBytes > limits.uploadBytesMax) {
    throw new ProblemError(
      'upload-too-large',
      `The object has ${head.sizeBytes} bytes; ${limits.uploadBytesMax} are allowed.`,
    );
  }
  if (head.sizeBytes === 0) throw mismatch('size_bytes', 'The object is empty');
  if (claim.size_bytes !== undefined && claim.size_bytes !== head.sizeBytes) {
    throw mismatch('size_bytes', `The object has ${head.sizeBytes} bytes, not ${claim.size_bytes}`);
  }
  const checksum = claim.checksum?.replace(/^md5:/, '').toLowerCase();
  if (checksum !== undefined && checksum !== head.etag.toLowerCase()) {
    throw mismatch('checksum', `The object's MD5 is ${head.etag}`);
  }
  const storedType = head.contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const stated = !UNSPECIFIC_TYPES.has(storedType);
  if (stated && claim.content_type !== undefined && claim.content_type !== storedType) {
    throw mismatch('content_type', `The object was uploaded as ${storedType}`);
  }
  const contentType = claim.content_type ?? storedType;
  if (!allowedTypes.includes(contentType)) {
    throw mismatch(
      'content_type',
      `The object was uploaded as "${storedType}"; allowed are ${allowedTypes.join(', ')}`,
    );
  }
  return {
    artifact_id: claim.artifact_id,
    filename: claim.filename ?? claim.artifact_id,
    storage_path: storagePath,
    content_type: contentType,
    size_bytes: head.sizeBytes,
    checksum: head.etag.toLowerCase(),
    artifact_type: artifactType(contentType),
    metadata: claim.metadata,
  };
}

/**
 * Answers with a presigned GET address: as JSON to who asks for JSON, else as a redirect. The upload address of an artifact
 * outlives its confirmation, so the object is compared with what was confirmed: what is shown is what was judged.
 *
 * @throws ProblemError 409 the object was replaced or is gone
 */
export async function download(
  { objects, clock, limits }: UploadContext,
  artifact: ArtifactView,
  accept: string,
): Promise<HttpResult> {
  const head = await objects.head(artifact.storage_path);
  if (head?.etag.toLowerCase() !== artifact.checksum) {
    const what = head === undefined ? 'is gone' : 'was replaced';
    throw new ProblemError(
      'artifact-changed',
      `The object of artifact ${artifact.artifact_id} ${what} after its confirmation.`,
    );
  }
  const expiresAt = new Date(clock.nowMs() + limits.downloadUrlSeconds * 1000).toISOString();
  const url = await objects.presignGet(artifact.storage_path, limits.downloadUrlSeconds);
  const { artifact_id, content_type } = artifact;
  const ticket = json(200, {
    artifact_id,
    content_type,
    download_url: url,
    expires_at: expiresAt,
  } satisfies z.output<typeof DownloadTicket>);
  if (/\bapplication\/json\b/i.test(accept)) return ticket;
  return { status: 302, headers: { ...ticket.headers, Location: url }, body: ticket.body ?? '' };
}

function artifactType(contentType: string): string {
  if (contentType.startsWith('image/')) return 'image';
  return contentType.startsWith('video/') ? 'video' : 'measurement';
}

function mismatch(field: string, message: string): ProblemError {
  return new ProblemError('upload-mismatch', `${message}.`, { errors: [{ in: 'body', field, message }] });
}
