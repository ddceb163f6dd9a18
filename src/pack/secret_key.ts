/**
 * minisign's secret keys (https://jedisct1.github.io/minisign/, "Secret key format"):
 *
 *     untrusted comment: <text>
 *     base64( "Ed", "Sc" | 0 0, "B2", salt (32), opslimit (8), memlimit (8),
 *             key id (8), Ed25519 seed (32), public key (32), checksum (32) )
 *
 * The last 104 bytes are XORed with scrypt of the password where the second field is "Sc". The
 * checksum is the BLAKE2b-256 of "Ed", key id, seed and public key.
 */
import { scryptSync } from "node:crypto";
import { UpdateError } from "../base/errors.ts";
import { blake2b256 } from "./blake2b.ts";

/** A key that can sign. */
export interface SecretKey {
  /** 8 bytes. */
  readonly id: Uint8Array<ArrayBuffer>;
  /** 32 bytes. */
  readonly seed: Uint8Array<ArrayBuffer>;
  /** 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** How much work it is to try a password. */
export interface KeyLimits {
  readonly ops: number;
  /** In bytes. */
  readonly memory: number;
}

const COMMENT = "untrusted comment: ";
const SIZE = 158, SALT = 6, OPSLIMIT = 38, MEMLIMIT = 46, SECRET = 54;
const SECRET_SIZE = SIZE - SECRET;
/** libsodium's limits for secrets that are worth it: a gigabyte and a few seconds. */
const SENSITIVE: KeyLimits = { ops: 33_554_432, memory: 1_073_741_824 };
/** Above that a key file only fills the memory; minisign writes the half. */
const MAX_MEMORY = 4 * 1024 ** 3;

/** Whether the key file asks for a password; undefined where it is none. */
export function isEncrypted(text: string): boolean | undefined {
  const raw = decode(text);
  return raw && (raw[2] !== 0 || raw[3] !== 0);
}

/** Whether one stands anywhere in the text: by its size and its first six bytes, in Base64. */
export function holdsSecretKey(text: string): boolean {
  return /RW(?:RTY0Iy|QAAEIy)[A-Za-z0-9+/]{203}=/.test(text);
}

/** Opens a key file. Throws `usage` for one that is none, or for a wrong password. */
export function openSecretKey(text: string, password: string | undefined): SecretKey {
  const raw = decode(text);
  const algorithms = raw && String.fromCharCode(...raw.subarray(0, 6));
  if (!raw || !/^Ed(Sc|\0\0)B2$/.test(algorithms!)) {
    throw new UpdateError("usage", "The key file is none of minisign's secret keys", {
      hint: 'Give the .key file that "minisign -G" or --new-key wrote, not the .pub file.',
    });
  }
  const secret = raw.subarray(SECRET);
  if (isEncrypted(text)) {
    const view = new DataView(raw.buffer);
    const limits = {
      ops: Number(view.getBigUint64(OPSLIMIT, true)),
      memory: Number(view.getBigUint64(MEMLIMIT, true)),
    };
    xor(secret, stretch(password ?? "", raw.slice(SALT, OPSLIMIT), limits));
  }
  const key = {
    id: secret.slice(0, 8),
    seed: secret.slice(8, 40),
    publicKey: secret.slice(40, 72),
  };
  const noted = secret.subarray(72);
  if (checksum(key).every((byte, index) => byte === noted[index])) return key;
  // minisign 0.11 leaves it out where there is no password; what does not belong together is found
  // out when the first signature is verified.
  if (!isEncrypted(text) && noted.every((byte) => byte === 0)) return key;
  throw new UpdateError("usage", "The password of the key is wrong, or the key file is damaged", {
    hint: "Try the password with: minisign -S -s KEYFILE -m ANY_FILE",
  });
}

/** The text of a key file. Encrypting takes a gigabyte of memory for some seconds, on purpose. */
export function writeSecretKey(
  key: SecretKey,
  password: string | undefined,
  salt: Uint8Array<ArrayBuffer>,
  limits: KeyLimits = SENSITIVE,
): string {
  const raw = new Uint8Array(SIZE);
  const secret = raw.subarray(SECRET);
  raw.set(new TextEncoder().encode(password === undefined ? "Ed\0\0B2" : "EdScB2"));
  secret.set(key.id);
  secret.set(key.seed, 8);
  secret.set(key.publicKey, 40);
  secret.set(checksum(key), 72);
  if (password !== undefined) {
    const view = new DataView(raw.buffer);
    raw.set(salt, SALT);
    view.setBigUint64(OPSLIMIT, BigInt(limits.ops), true);
    view.setBigUint64(MEMLIMIT, BigInt(limits.memory), true);
    xor(secret, stretch(password, salt, limits));
  }
  const kind = password === undefined ? "unencrypted" : "encrypted";
  return `${COMMENT}minisign ${kind} secret key\n${btoa(String.fromCharCode(...raw))}\n`;
}

/** A new pair. */
export async function generateKey(id: Uint8Array<ArrayBuffer>): Promise<SecretKey> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const { privateKey, publicKey } = pair as CryptoKeyPair;
  // PKCS #8 of an Ed25519 key ends with the seed (RFC 8410).
  const encoded = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  return {
    id,
    seed: encoded.slice(-32),
    publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)),
  };
}

/** The line of a `.pub` file, as `updater-shim.json` has it. */
export function publicKeyLine({ id, publicKey }: SecretKey): string {
  return btoa(String.fromCharCode(0x45, 0x64, ...id, ...publicKey));
}

function checksum({ id, seed, publicKey }: SecretKey): Uint8Array {
  return blake2b256(Uint8Array.from([0x45, 0x64, ...id, ...seed, ...publicKey]));
}

/** As libsodium turns two limits into scrypt's three numbers (`pickparams`). */
export function scryptNumbers({ ops, memory }: KeyLimits): { N: number; r: number; p: number } {
  const r = 8;
  const work = Math.max(32_768, ops);
  const powerOf = (most: number) => {
    let log = 1;
    while (log < 63 && 2 ** log <= most / 2) log++;
    return log;
  };
  if (work < memory / 32) return { N: 2 ** powerOf(Math.floor(work / (r * 4))), r, p: 1 };
  const log = powerOf(Math.floor(memory / (r * 128)));
  const rp = Math.min(0x3fffffff, Math.floor(work / 4 / 2 ** log));
  return { N: 2 ** log, r, p: Math.floor(rp / r) };
}

function stretch(
  password: string,
  salt: Uint8Array,
  limits: KeyLimits,
): Uint8Array {
  if (limits.memory > MAX_MEMORY) {
    throw new UpdateError("usage", "The key file asks for more memory than any key needs", {
      hint: "Make a new key, or sign with minisign itself.",
    });
  }
  const { N, r, p } = scryptNumbers(limits);
  const maxmem = 128 * r * (N + p) + 1024 ** 2;
  try {
    return new Uint8Array(scryptSync(password, salt, SECRET_SIZE, { N, r, p, maxmem }));
  } catch (cause) {
    // Runtimes before Deno 2.9 make no more than 64 bytes of a password (seen with 2.6.10).
    throw new UpdateError("usage", "This build cannot open or make a key that has a password", {
      hint: "Sign with minisign itself (minisign -S), or use a program that Deno 2.9 has compiled.",
      cause,
    });
  }
}

function xor(bytes: Uint8Array, other: Uint8Array): void {
  for (let index = 0; index < bytes.length; index++) bytes[index]! ^= other[index]!;
}

function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  const [comment, line] = text.split(/\r?\n/);
  if (!comment?.startsWith(COMMENT) || line === undefined) return undefined;
  try {
    const raw = Uint8Array.from(atob(line), (char) => char.charCodeAt(0));
    return raw.length === SIZE ? raw : undefined;
  } catch {
    return undefined;
  }
}
