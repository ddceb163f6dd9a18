/** The release manifest's bytes, and who signed them. Nothing here interprets a byte of them. */
import { UpdateError } from "../base/errors.ts";
import { fetchDocument, isMissing } from "../transfer/http.ts";
import { parsePublicKey, verifySignature } from "./minisign.ts";
import type { FetchOptions } from "../transfer/retry.ts";
import { redactUrl } from "../base/url_policy.ts";

/** A manifest is a page of text; anything longer is none (an endless body would fill the memory). */
const MANIFEST_LIMIT = 1024 * 1024;
const SIGNATURE_LIMIT = 8 * 1024;

/** A document as it was published. */
export interface SignedDocument {
  readonly bytes: Uint8Array;
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
  const keys = publicKeys.map((key) => parsePublicKey(key));
  const { bytes } = await fetchDocument(location, { ...options, limit: MANIFEST_LIMIT });
  if (keys.length === 0) return { bytes, signedBy: null };
  const signature = await fetchSignature(location, options);
  const { keyId } = await verifySignature(bytes, signature, keys, { url: location });
  return { bytes, signedBy: keyId };
}

/** That there is no signature is an answer, and no fault of the network. */
async function fetchSignature(location: string, options: FetchOptions): Promise<Uint8Array> {
  try {
    const bounded = { ...options, limit: SIGNATURE_LIMIT };
    return (await fetchDocument(signatureLocation(location), bounded)).bytes;
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    const url = redactUrl(location);
    throw new UpdateError("verification", `The release manifest is not signed: ${url}`, {
      url,
      hint:
        "A public key is configured, so nothing unsigned is installed. Tell the tool's authors.",
      cause,
    });
  }
}

/** `.minisig` goes behind the path, not behind a query. */
function signatureLocation(location: string): string {
  const query = /^https?:/i.test(location) ? location.search(/[?#]/) : -1;
  if (query < 0) return `${location}.minisig`;
  return `${location.slice(0, query)}.minisig${location.slice(query)}`;
}
