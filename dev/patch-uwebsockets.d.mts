export function glibcIsTooOld(version: string | undefined): boolean;
export function runtimeGlibc(): string | undefined;
export function relaxGlibc238(original: Buffer): Buffer;
export function patchUWebSockets(
  root: string,
  system?: { glibc?: string | undefined; arch?: string },
): 'not-needed' | 'not-installed' | 'already' | 'patched';
