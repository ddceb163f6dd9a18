/** Other people's vectors of Ed25519, given to the very function that releases are verified by. */
import { assertEquals } from "@std/assert";
import { decodeHex } from "@std/encoding/hex";
import type { Vectors } from "../../.ci/signature_vectors.ts";
import { UpdateError } from "../../src/base/errors.ts";
import { parsePublicKey, verifySignature } from "../../src/release/minisign.ts";
import { bytes, encodeKey, signatureFile } from "../support/signer.ts";
import vectors from "./signature_vectors.json" with { type: "json" };

const { wycheproof, edges } = vectors as unknown as Vectors;
const ID = new Uint8Array(8).fill(7);

Deno.test("Wycheproof: 88 valid Ed25519 signatures are accepted, 63 invalid ones are not", async () => {
  const count = { valid: 0, invalid: 0 };
  for (const { key, tests } of wycheproof) {
    for (const [number, message, signature, valid] of tests) {
      assertEquals(await isSigned(key, message, signature), valid, `vector ${number}`);
      count[valid ? "valid" : "invalid"]++;
    }
  }
  assertEquals(count, { valid: 88, invalid: 63 });
});

Deno.test("Ed25519 where verifiers disagree: what libsodium, and so minisign, accepts, and nothing else", async () => {
  const accepted: number[] = [];
  for (const [number, [key, message, signature]] of edges.entries()) {
    if (await isSigned(key, message, signature)) accepted.push(number);
  }
  assertEquals(accepted, [3]);
  assertEquals(edges.length, 12);
});

/**
 * Whether the document's signature is found good. Nobody has the secret keys of these vectors, so the
 * second signature, that of the trusted comment, is never right: what is refused is then the comment.
 */
async function isSigned(key: string, message: string, signature: string): Promise<boolean> {
  const parts = { legacy: true, id: ID, trustedComment: "", global: new Uint8Array(64) };
  const text = signatureFile({ ...parts, signature: decodeHex(signature) });
  try {
    const trusted = parsePublicKey(encodeKey(ID, decodeHex(key)));
    await verifySignature(bytes(decodeHex(message)), text, [trusted], {
      url: "https://a.example/",
    });
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    return error.message.includes("is good, but its trusted comment was altered");
  }
  throw new Error("a comment that nobody signed was accepted");
}
