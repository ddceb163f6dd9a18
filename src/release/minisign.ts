/**
 * Detached minisign signatures:
 *
 *     untrusted comment: <text>
 *     base64( "ED" | "Ed", key id (8 bytes), Ed25519 signature (64 bytes) )
 *     trusted comment: <text>
 *     base64( Ed25519 signature of the signature above and the trusted comment )
 *
 * "ED" signs the BLAKE2b-512 of the document, "Ed" (legacy) the document itself. The primitives
 * are the runtime's own.
 */
import { createHash } from "node:crypto";
import { UpdateError } from "../base/errors.ts";
import { parseSignature, type PublicKey } from "./minisign_format.ts";
import { redactUrl } from "../base/url_policy.ts";
import { isWeakPoint } from "./weak_points.ts";

export { parsePublicKey, type PublicKey } from "./minisign_format.ts";

/** A signature that was found good. */
export interface VerifiedSignature {
  /** Id of the key that made it. */
  readonly keyId: string;
  /** Signed together with the document; printable text. */
  readonly trustedComment: string;
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
  const url = redactUrl(name.url);
  const refuse = (what: string, hint: string): never => {
    throw new UpdateError("verification", `${what}: ${url}`, { url, hint });
  };
  const parsed = parseSignature(signature);
  if (typeof parsed === "string") {
    return refuse(`The signature is not one of minisign (${parsed})`, REPLACED_HINT);
  }
  const { keyId, trustedComment } = parsed;
  // The id is no secret and nothing is proved by it: two keys may claim the same.
  const candidates = keys.filter((key) => key.keyId === keyId);
  if (candidates.length === 0) {
    const known = keys.map((key) => key.keyId).join(", ") || "none";
    return refuse(`Signed with key ${keyId}, not with a trusted one (${known})`, KEY_HINT);
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

const REPLACED_HINT = "Nothing was installed. Try again later; if it stays so, tell the tool's " +
  "authors: somebody may have replaced the release.";
const KEY_HINT = "Nothing was installed. If the authors announced a new key, get it from them by " +
  "another way and add it to publicKeys in updater-shim.json.";

function signedBytes(document: Uint8Array, prehashed: boolean): Uint8Array<ArrayBuffer> {
  if (!prehashed) return new Uint8Array(document);
  return new Uint8Array(createHash("blake2b512").update(document).digest());
}

async function verify(
  key: CryptoKey,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  if (isWeakPoint(signature.subarray(0, 32))) return false;
  return await crypto.subtle.verify("Ed25519", key, signature, signed);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
