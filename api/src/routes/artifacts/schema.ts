import type { ArtifactView } from '@chip-quality/schemas';
import { z } from 'zod';
import { text, timestamp, uuid } from '../common-schemas.ts';
import type { FieldsOf } from '../fields-of.ts';
import { ArtifactMetadata } from '../metadata-schemas.ts';

/** What a golden image may be. */
export const IMAGE_TYPES = ['image/jpeg', 'image/png'] as const;

/** What an inspection's artifact may be. */
export const ARTIFACT_TYPES = [...IMAGE_TYPES, 'video/mp4', 'application/json'] as const;

/** Name that the client gives an object. */
export const filename = text(255).regex(/^[^/\\]+$/, 'A file name without folders');

/** Body that asks for an address to upload an artifact to. */
export const ArtifactPresign = z
  .strictObject({ filename, content_type: z.enum(ARTIFACT_TYPES) })
  .meta({ id: 'ArtifactPresign' });

/** What bodies say of an uploaded object, besides its type. */
export const confirmedFields = {
  artifact_id: uuid,
  filename: filename.optional().meta({ description: 'The artifact id unless given.' }),
  size_bytes: z.int().min(1).optional().meta({ description: 'Compared with the stored object when given.' }),
  checksum: z
    .string()
    .regex(/^(md5:)?[0-9a-fA-F]{32}$/, 'The MD5 of the bytes in hexadecimal')
    .optional()
    .meta({ description: 'MD5, hexadecimal; compared with the stored object when given.' }),
  metadata: ArtifactMetadata.default({}),
};

/** Body that says that an artifact is uploaded. */
export const ArtifactConfirm = z
  .strictObject({ ...confirmedFields, content_type: z.enum(ARTIFACT_TYPES).optional() })
  .meta({ id: 'ArtifactConfirm' });

/**
 * A confirmed file of an inspection, or a part's golden image, as answers describe it; the bytes are behind {@link
 * DownloadTicket}.
 */
export const Artifact = z
  .object({
    artifact_id: z.uuid(),
    storage_path: z.string(),
    content_type: z.string(),
    size_bytes: z.int(),
    checksum: z.string().meta({ description: 'MD5, hexadecimal.' }),
  } satisfies FieldsOf<ArtifactView>)
  .meta({ id: 'Artifact' });

/** Where to put an object. */
export const UploadTicket = z
  .object({
    artifact_id: z.uuid(),
    upload_url: z.url().meta({ description: 'PUT the bytes here, with the announced Content-Type.' }),
    expires_at: timestamp,
  })
  .meta({ id: 'UploadTicket' });

/** Where an object is to be had. */
export const DownloadTicket = z
  .object({ artifact_id: z.uuid(), content_type: z.string(), download_url: z.url(), expires_at: timestamp })
  .meta({ id: 'DownloadTicket' });
