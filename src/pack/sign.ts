/** Signing as `minisign -S` does, prehashed; what was made is verified by the shim's own code. */
import { createHash } from "node:crypto";
import { parsePublicKey, verifySignature } from "../release/minisign.ts";
import { publicKeyLine, type SecretKey } from "./secret_key.ts";

/** What `crypto.subtle` wants around a seed (RFC 8410, 7). */
const PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/**
 * The text of a signature file. The trusted comment is signed with the document; the same input
 * gives the same bytes. Throws `verification` if the key file's two halves do not belong together.
 */
export async function signDocument(
  document: Uint8Array,
  key: SecretKey,
  trustedComment: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { seed, id } = key;
  const pkcs8 = Uint8Array.from([...PKCS8, ...seed]);
  const secret = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  const sign = async (...parts: Uint8Array[]) => {
    const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
    return new Uint8Array(await crypto.subtle.sign("Ed25519", secret, bytes));
  };
  const encode = (text: string) => new TextEncoder().encode(text);
  const signature = await sign(createHash("blake2b512").update(document).digest());
  const global = await sign(signature, encode(trustedComment));
  const line = (...bytes: number[]) => btoa(String.fromCharCode(...bytes));
  const text = `untrusted comment: verify with the public key ${publicKeyLine(key)}\n` +
    `${line(0x45, 0x44, ...id, ...signature)}\n` +
    `trusted comment: ${trustedComment}\n${line(...global)}\n`;
  const bytes = encode(text);
  const name = { url: "the signature that was just made" };
  await verifySignature(document, bytes, [parsePublicKey(publicKeyLine(key))], name);
  return bytes;
}
