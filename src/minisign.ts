/**
 * Detached minisign signatures: https://jedisct1.github.io/minisign/ ("Signature format").
 *
 *     untrusted comment: <text>
 *     base64( "ED" | "Ed", key id (8 bytes), Ed25519 signature (64 bytes) )
 *     trusted comment: <text>
 *     base64( Ed25519 signature of the signature above and the trusted comment )
 *
 * "ED" signs the BLAKE2b-512 of the document, "Ed" (legacy) the document itself. The primitives
 * are the runtime's own. Where minisign itself is lenient this is strict: line ends are LF and
 * nothing follows the fourth line, so that one signature has one form.
 */
import { createHash } from "node:crypto";
import { UpdateError } from "./errors.ts";
import { decodeBase64, isWeakPoint, sameBytes } from "./minisign_bytes.ts";

/** A public key that releases may be signed with. */
export interface PublicKey {
  /** As minisign prints it: hexadecimal, upper case, without leading zeros. */
  readonly keyId: string;
  /** The key itself, 32 bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A signature that was found good. */
export interface VerifiedSignature {
  /** Id of the key that made it. */
  readonly keyId: string;
  /** Signed together with the document; printable text. */
  readonly trustedComment: string;
}

interface ParsedSignature {
  readonly prehashed: boolean;
  readonly keyId: string;
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly trustedComment: string;
  readonly globalSignature: Uint8Array<ArrayBuffer>;
}

/** A signature file needs 300 bytes; the rest is room for comments. */
const SIGNATURE_LIMIT = 8 * 1024;
/** minisign reads the first line into 1024 bytes with a final NUL and calls more than that invalid. */
const UNTRUSTED_LIMIT = 1022;
const UNTRUSTED = "untrusted comment: ";
const TRUSTED = "trusted comment: ";
const LEGACY = 0x64;
const PREHASHED = 0x44;

/**
 * Reads a public key: the base64 line, or the two lines of a `.pub` file. Throws `usage`.
 */
export function parsePublicKey(text: string): PublicKey {
  const lines = text.replace(/\n$/, "").split("\n");
  const refuse = (what: string): never => {
    // Enough to find it among several; it is public, but may be a misplaced secret key.
    const shown = JSON.stringify(text.slice(0, 12));
    throw new UpdateError("usage", `The public key that begins with ${shown} is not valid: ${what}`, {
      hint: 'Give the line that begins with "RW" of the .pub file that "minisign -G" wrote.',
    });
  };
  if (lines.length > 2 || (lines.length === 2 && !lines[0]!.startsWith(UNTRUSTED))) {
    return refuse("it is neither one line of base64 nor the two lines of a minisign .pub file");
  }
  const raw = decodeBase64(lines.at(-1)!, 42);
  if (!raw) return refuse("it is not the base64 of 42 bytes");
  if (raw[0] !== 0x45 || raw[1] !== LEGACY) return refuse("it is not an Ed25519 key of minisign");
  const bytes = raw.slice(10);
  if (isWeakPoint(bytes)) return refuse("anybody can sign for this key (its order is small)");
  return { keyId: printKeyId(raw), bytes };
}

/**
 * Checks that one of `keys` signed exactly these bytes. `name.url` is what the document is called
 * in messages. Throws `verification`; nothing of the document has been interpreted then.
 */
export async function verifySignature(
  document: Uint8Array,
  signature: Uint8Array,
  keys: readonly PublicKey[],
  name: { readonly url: string },
): Promise<VerifiedSignature> {
  const refuse = (what: string, hint: string): never => {
    throw new UpdateError("verification", `${what}: ${name.url}`, { url: name.url, hint });
  };
  const parsed = parseSignature(signature);
  if (typeof parsed === "string") {
    return refuse(`The signature is not one of minisign (${parsed})`, REPLACED_HINT);
  }
  const { keyId, trustedComment } = parsed;
  const candidates = keys.filter((key) => key.keyId === keyId);
  if (candidates.length === 0) {
    const known = keys.map((key) => key.keyId).join(", ") || "none";
    return refuse(`Signed with key ${keyId}, which is not among the trusted ones (${known})`, KEY_HINT);
  }
  for (const { bytes } of candidates) {
    const key = await crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
    if (!await verify(key, parsed.signature, signedBytes(document, parsed.prehashed))) continue;
    const both = concat(parsed.signature, new TextEncoder().encode(trustedComment));
    if (await verify(key, parsed.globalSignature, both)) return { keyId, trustedComment };
    return refuse(
      `The signature with key ${keyId} is good, but its trusted comment was altered`,
      REPLACED_HINT,
    );
  }
  return refuse(`The signature with key ${keyId} is not of these bytes`, REPLACED_HINT);
}

const REPLACED_HINT =
  "Nothing was installed. Try again later; if it stays so, tell the tool's authors: somebody may have replaced the release.";
const KEY_HINT =
  "Nothing was installed. If the authors announced a new key, get it from them by another way and add it to publicKeys in updater-shim.json.";

/** A text says what is wrong with it. */
function parseSignature(bytes: Uint8Array): ParsedSignature | string {
  if (bytes.length > SIGNATURE_LIMIT) return `longer than ${SIGNATURE_LIMIT} bytes`;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "not UTF-8 text";
  }
  const lines = text.replace(/\n$/, "").split("\n");
  if (lines.length !== 4) return `${lines.length} lines instead of 4`;
  const odd = lines.findIndex((line) => /[^\P{Cc}\t]/u.test(line));
  if (odd >= 0) return `a control character in line ${odd + 1}`;
  const [untrusted, first, trusted, second] = lines as [string, string, string, string];
  if (!untrusted.startsWith(UNTRUSTED)) return `line 1 does not begin with "${UNTRUSTED}"`;
  if (new TextEncoder().encode(untrusted).length > UNTRUSTED_LIMIT) return "line 1 is too long";
  if (!trusted.startsWith(TRUSTED)) return `line 3 does not begin with "${TRUSTED}"`;
  const raw = decodeBase64(first, 74);
  if (!raw) return "line 2 is not the base64 of 74 bytes";
  if (raw[0] !== 0x45 || (raw[1] !== PREHASHED && raw[1] !== LEGACY)) {
    return "an algorithm that is not known";
  }
  const globalSignature = decodeBase64(second, 64);
  if (!globalSignature) return "line 4 is not the base64 of 64 bytes";
  return {
    prehashed: raw[1] === PREHASHED,
    keyId: printKeyId(raw),
    signature: raw.slice(10),
    trustedComment: trusted.slice(TRUSTED.length),
    globalSignature,
  };
}

/** The key id is a little-endian number; minisign prints it with `%PRIX64`. */
function printKeyId(raw: Uint8Array<ArrayBuffer>): string {
  return new DataView(raw.buffer, raw.byteOffset).getBigUint64(2, true).toString(16).toUpperCase();
}

function signedBytes(document: Uint8Array, prehashed: boolean): Uint8Array<ArrayBuffer> {
  return prehashed
    ? new Uint8Array(createHash("blake2b512").update(document).digest())
    : new Uint8Array(document);
}

async function verify(
  key: CryptoKey,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  // libsodium, and so minisign, refuses such an R; WebCrypto in Deno does not.
  if (isWeakPoint(signature.subarray(0, 32))) return false;
  return await crypto.subtle.verify("Ed25519", key, signature, signed);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
