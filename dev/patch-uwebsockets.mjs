/**
 * Makes the prebuilt uWebSockets.js binary load on Linux systems whose glibc is older than 2.38
 * (Debian 12, Ubuntu 22.04, RHEL 9). On newer systems this script does nothing.
 *
 * Why it is needed: the binary was compiled against glibc 2.38 headers, which turn three C calls
 * (`sscanf`, `strtol`, `strtoul`) into aliases named `__isoc23_*` that only glibc >= 2.38 exports.
 * The aliases differ from the old functions in one detail (binary literals `0b…`), on which the
 * library does not depend. Everything else it needs is in glibc 2.36 and older.
 *
 * What it changes, in the installed copy under `node_modules` and nowhere else:
 *  1. the requirement "GLIBC_2.38" of libc.so.6 is marked weak, so the loader no longer refuses;
 *  2. the three symbols point nine bytes further into their own names, past `__isoc23_`;
 *  3. their version index becomes 1 (any version).
 * It touches the file only when its sha256 is one that was examined, only when exactly those three
 * symbols use the new version, and puts the result in place by rename, so a process that has the
 * old file mapped is not disturbed. `npm ci` brings the original back.
 *
 * Plain JavaScript with Node's built-ins: it runs before dependencies can be trusted to load.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** sha256 of the binaries that were examined (uWebSockets.js 20.57.0, Node 24 = ABI 137). */
const KNOWN_BINARIES = new Map([
  ['uws_linux_x64_137.node', '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05'],
]);
const NODE_24_ABI = '137';
const NEEDED_GLIBC = [2, 38];
const ALIAS_PREFIX = '__isoc23_';
const ALIASES = ['__isoc23_sscanf', '__isoc23_strtol', '__isoc23_strtoul'];

const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const SHT_GNU_VERSYM = 0x6fffffff;
const VER_FLG_WEAK = 2;
const VERSION_INDEX_GLOBAL = 1;
const SYMBOL_BYTES = 24;

/** @param {string | undefined} version such as "2.36" */
export function glibcIsTooOld(version) {
  if (version === undefined) return false; // musl, macOS, Windows: not our case
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < NEEDED_GLIBC[0] || (major === NEEDED_GLIBC[0] && minor < NEEDED_GLIBC[1]);
}

/** The C library of the running process; undefined where that is not glibc. */
export function runtimeGlibc() {
  if (process.platform !== 'linux') return undefined;
  return process.report?.getReport()?.header?.glibcVersionRuntime;
}

/** @param {Buffer} elf @param {number} offset */
function cString(elf, offset) {
  return elf.toString('latin1', offset, elf.indexOf(0, offset));
}

/** @param {Buffer} elf */
function sections(elf) {
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1) {
    throw new Error('not a 64-bit little-endian ELF file');
  }
  const start = Number(elf.readBigUInt64LE(0x28));
  const entryBytes = elf.readUInt16LE(0x3a);
  const count = elf.readUInt16LE(0x3c);
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * entryBytes;
    return {
      type: elf.readUInt32LE(at + 4),
      offset: Number(elf.readBigUInt64LE(at + 24)),
      bytes: Number(elf.readBigUInt64LE(at + 32)),
      link: elf.readUInt32LE(at + 40),
      info: elf.readUInt32LE(at + 44),
    };
  });
}

/**
 * The edit itself: takes the bytes of a binary, returns edited bytes of the same length.
 * Throws when the file does not look exactly as expected.
 * @param {Buffer} original
 */
export function relaxGlibc238(original) {
  const elf = Buffer.from(original);
  const all = sections(elf);
  const symbols = all.find((s) => s.type === SHT_DYNSYM);
  const needs = all.find((s) => s.type === SHT_GNU_VERNEED);
  const versions = all.find((s) => s.type === SHT_GNU_VERSYM);
  if (!symbols || !needs || !versions) throw new Error('no versioned dynamic symbols');
  const names = all[symbols.link]?.offset ?? 0;

  let versionIndex = -1;
  let need = needs.offset;
  for (let i = 0; i < needs.info; i += 1) {
    let aux = need + elf.readUInt32LE(need + 8);
    for (let j = 0; j < elf.readUInt16LE(need + 2); j += 1) {
      if (cString(elf, names + elf.readUInt32LE(aux + 8)) === 'GLIBC_2.38') {
        versionIndex = elf.readUInt16LE(aux + 6);
        elf.writeUInt16LE(elf.readUInt16LE(aux + 4) | VER_FLG_WEAK, aux + 4);
      }
      aux += elf.readUInt32LE(aux + 12);
    }
    need += elf.readUInt32LE(need + 12);
  }
  if (versionIndex < 0) throw new Error('does not need GLIBC_2.38');

  const found = [];
  for (let i = 0; i < symbols.bytes / SYMBOL_BYTES; i += 1) {
    if (elf.readUInt16LE(versions.offset + i * 2) !== versionIndex) continue;
    const at = symbols.offset + i * SYMBOL_BYTES;
    const nameAt = elf.readUInt32LE(at);
    found.push(cString(elf, names + nameAt));
    elf.writeUInt32LE(nameAt + ALIAS_PREFIX.length, at);
    elf.writeUInt16LE(VERSION_INDEX_GLOBAL, versions.offset + i * 2);
  }
  if (found.sort().join() !== ALIASES.join()) {
    throw new Error(`unexpected symbols of GLIBC_2.38: ${found.join(', ')}`);
  }
  return elf;
}

/**
 * Patches the installed binary when this system needs it.
 * @param {string} root the repository root
 * @param {{ glibc?: string | undefined, arch?: string }} [system]
 * @returns {'not-needed' | 'not-installed' | 'already' | 'patched'}
 */
export function patchUWebSockets(root, system = {}) {
  const glibc = 'glibc' in system ? system.glibc : runtimeGlibc();
  if (!glibcIsTooOld(glibc)) return 'not-needed';
  const folder = join(root, 'node_modules', 'uWebSockets.js');
  const name = `uws_linux_${system.arch ?? process.arch}_${NODE_24_ABI}.node`;
  const path = join(folder, name);
  if (!existsSync(path)) return 'not-installed';

  const original = readFileSync(path);
  const sha256 = createHash('sha256').update(original).digest('hex');
  const stamp = `${path}.patched`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === sha256) return 'already';
  const known = KNOWN_BINARIES.get(name);
  if (sha256 !== known) {
    throw new Error(
      `uWebSockets.js needs glibc 2.38, this system has ${glibc}, and ${name} (sha256 ${sha256}) is not a build ` +
        'that dev/patch-uwebsockets.mjs knows. Use Debian 13, Ubuntu 24.04 or newer, or the container image.',
    );
  }
  const patched = relaxGlibc238(original);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    // The stamp goes first: a crash in between leaves a stamp that matches nothing, which is harmless.
    writeFileSync(stamp, createHash('sha256').update(patched).digest('hex'));
    writeFileSync(temporary, patched, { mode: 0o755 });
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
  return 'patched';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  console.log(`uWebSockets.js: ${patchUWebSockets(root)}`);
}
