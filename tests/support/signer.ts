/** A signer of our own on WebCrypto, which can also make what the real minisign never would. */
import { createHash } from "node:crypto";

/** How a signature is to be made. */
export interface SignOptions {
  /** "Ed" instead of "ED". */
  readonly legacy?: boolean;
  readonly trustedComment?: string;
  readonly untrustedComment?: string;
}

/** A key pair of our own. */
export interface Signer {
  /** The base64 line. */
  readonly publicKey: string;
  /** 8 bytes. */
  readonly id: Uint8Array;
  sign(document: Uint8Array, options?: SignOptions): Promise<Uint8Array>;
  /** The same with the nonce 0: R is the neutral point, and every equation holds. */
  signWithoutNonce(document: Uint8Array): Promise<Uint8Array>;
}

/** Order of the Ed25519 group. */
export const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** A new signer of our own. */
export async function createSigner(): Promise<Signer> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const id = crypto.getRandomValues(new Uint8Array(8));
  const sign = async (bytes: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, bytes));
  return {
    publicKey: encodeKey(id, raw),
    id,
    async sign(document, options = {}) {
      const signature = await sign(options.legacy ? new Uint8Array(document) : prehash(document));
      const comment = options.trustedComment ?? "timestamp:1793534400\tfile:release.json";
      const global = await sign(bytes(signature, comment));
      return signatureFile({ ...options, id, signature, trustedComment: comment, global });
    },
    async signWithoutNonce(document) {
      const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
      const zero = (message: Uint8Array) => signZeroNonce(pkcs8.slice(-32), raw, message);
      const signature = zero(prehash(document));
      const global = zero(bytes(signature, "c"));
      return signatureFile({ id, signature, trustedComment: "c", global });
    },
  };
}

/** RFC 8032, 5.1.6, with r = 0: S = k * s. */
function signZeroNonce(seed: Uint8Array, key: Uint8Array, message: Uint8Array): Uint8Array {
  const sha512 = (...parts: Uint8Array[]) =>
    new Uint8Array(createHash("sha512").update(bytes(...parts)).digest());
  const scalar = sha512(seed).slice(0, 32);
  scalar[0]! &= 0xf8;
  scalar[31] = scalar[31]! & 0x7f | 0x40;
  const neutral = new Uint8Array(32);
  neutral[0] = 1;
  const k = toNumber(sha512(neutral, key, message));
  return bytes(neutral, toBytes(k * toNumber(scalar) % GROUP_ORDER));
}

/** Little-endian. */
export function toNumber(little: Uint8Array): bigint {
  return little.reduceRight((sum, byte) => sum << 8n | BigInt(byte), 0n);
}

/** Little-endian, 32 bytes. */
export function toBytes(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number(number >> BigInt(8 * index) & 0xffn));
}

/** The base64 line of a public key. */
export function encodeKey(id: Uint8Array, key: Uint8Array): string {
  return base64(bytes("Ed", id, key));
}

/** The bytes of a public key's base64 line. */
export function decodeKey(line: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(line), (char) => char.charCodeAt(0));
}

/** The text of a signature file from its parts. */
export function signatureFile(
  parts: SignOptions & {
    readonly id: Uint8Array;
    readonly signature: Uint8Array;
    readonly global: Uint8Array;
  },
): Uint8Array {
  const first = base64(bytes(parts.legacy ? "Ed" : "ED", parts.id, parts.signature));
  return bytes(
    `untrusted comment: ${parts.untrustedComment ?? "signature from a test"}\n${first}\n` +
      `trusted comment: ${parts.trustedComment}\n${base64(parts.global)}\n`,
  );
}

/** BLAKE2b-512, which the "ED" kind signs. */
export function prehash(document: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("blake2b512").update(document).digest());
}

/** Texts and bytes in a row. */
export function bytes(...parts: (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  return new Uint8Array(
    parts.flatMap((part) => [...(typeof part === "string" ? encoder.encode(part) : part)]),
  );
}

function base64(raw: Uint8Array): string {
  return btoa(String.fromCharCode(...raw));
}
