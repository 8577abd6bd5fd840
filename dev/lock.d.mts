import type { Server } from 'node:net';

export function socketAddress(folder: string, purpose: string): string;
export function tryListen(address: string): Promise<Server | undefined>;
export function withLock<T>(
  folder: string,
  purpose: string,
  body: () => T | Promise<T>,
  onWait?: () => void,
): Promise<T>;
