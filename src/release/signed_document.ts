/** The release manifest's bytes, and who signed them. Nothing here interprets a byte of them. */
import { reason, UpdateError } from "../base/errors.ts";
import { fetchDocument, isMissing } from "../transfer/http.ts";
import { parsePublicKey, verifySignature } from "./minisign.ts";
import type { FetchOptions } from "../transfer/retry.ts";
import { redactUrl } from "../base/url_policy.ts";

/** A manifest is a page of text; anything longer is none (an endless body would fill the memory). */
export const MANIFEST_LIMIT = 1024 * 1024;
/** A signature is four short lines. */
export const SIGNATURE_LIMIT = 8 * 1024;

/** A document as it was published. */
export interface SignedDocument {
  readonly bytes: Uint8Array;
  /** As it was published; null where no key is configured. */
  readonly signature: Uint8Array | null;
  /** Id of the key; null where no key is configured. */
  readonly signedBy: string | null;
}

/**
 * Fetches a document; with keys also its signature, by one of them. Throws `verification` where that
 * is missing or wrong, `usage` for a key that is none, and what fetching throws.
 */
export async function fetchSigned(
  location: string,
  publicKeys: readonly string[],
  options: FetchOptions,
): Promise<SignedDocument> {
  // A key that is none shows before anything is fetched.
  publicKeys.forEach((key) => parsePublicKey(key));
  const { bytes } = await fetchDocument(location, { ...options, limit: MANIFEST_LIMIT });
  const signature = publicKeys.length > 0 ? await fetchSignature(location, options) : null;
  return await verifySigned({ bytes, signature }, publicKeys, location);
}

/** The same for a document that is there already. */
export async function verifySigned(
  { bytes, signature }: Omit<SignedDocument, "signedBy">,
  publicKeys: readonly string[],
  location: string,
): Promise<SignedDocument> {
  if (publicKeys.length === 0) return { bytes, signature: null, signedBy: null };
  if (!signature) throw notSigned(location, "none was kept");
  const keys = publicKeys.map((key) => parsePublicKey(key));
  const { keyId } = await verifySignature(bytes, signature, keys, { url: location });
  return { bytes, signature, signedBy: keyId };
}

/** That there is no signature is an answer, and no fault of the network. */
async function fetchSignature(location: string, options: FetchOptions): Promise<Uint8Array> {
  try {
    const bounded = { ...options, limit: SIGNATURE_LIMIT };
    return (await fetchDocument(signatureLocation(location), bounded)).bytes;
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw notSigned(location, reason((cause as UpdateError).cause), cause);
  }
}

function notSigned(location: string, why: string, cause?: unknown): UpdateError {
  const url = redactUrl(location);
  const signature = redactUrl(signatureLocation(location));
  return new UpdateError("verification", `The release manifest is not signed: ${url}`, {
    url,
    hint:
      `There is no ${signature} (${why}). A public key is configured, so nothing unsigned is installed. Tell the tool's authors.`,
    cause,
  });
}

/** `.minisig` goes behind the path, not behind a query. */
function signatureLocation(location: string): string {
  const query = /^https?:/i.test(location) ? location.search(/[?#]/) : -1;
  if (query < 0) return `${location}.minisig`;
  return `${location.slice(0, query)}.minisig${location.slice(query)}`;
}
