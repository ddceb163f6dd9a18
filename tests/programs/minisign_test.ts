import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { UpdateError } from "../../src/base/errors.ts";
import { parsePublicKey, verifySignature } from "../../src/release/minisign.ts";
import { askMinisign, makeKeyPair, signWithMinisign } from "./minisign.ts";
import { mutations, type SignedDocument } from "./minisign_mutations.ts";
import { bytes, createSigner, decodeKey } from "../support/signer.ts";

const MANIFEST = bytes('{ "schema": 1, "name": "mytool", "version": "1.4.0" }\n');

function check(document: Uint8Array, signature: Uint8Array, ...keys: string[]) {
  return verifySignature(document, signature, keys.map(parsePublicKey), { url: "release.json" });
}

Deno.test({
  name: "the real minisign's signatures are accepted, and ours by it",
  fn: () =>
    inFolder(async (folder) => {
      const theirs = await makeKeyPair(folder, "release");
      const ours = await createSigner();
      const ourFile = `untrusted comment: test\n${ours.publicKey}\n`;
      for (const legacy of [false, true]) {
        for (const document of [MANIFEST, new Uint8Array(0), new Uint8Array(200_000).fill(65)]) {
          const options = { legacy, trustedComment: "mytool 1.4.0 – ✓\tx" };
          const signed = await signWithMinisign(folder, "release", document, options);
          const { keyId, trustedComment } = await check(document, signed, theirs, ours.publicKey);
          assertEquals(trustedComment, options.trustedComment);
          assertStringIncludes(theirs, `minisign public key ${keyId}\n`);
          const answer = await askMinisign(
            folder,
            document,
            await ours.sign(document, options),
            ourFile,
          );
          assertEquals(answer.accepted, true, answer.output);
        }
      }
    }),
});

Deno.test({
  name: "key ids are printed as minisign prints them, without leading zeros",
  fn: () =>
    inFolder(async (folder) => {
      const pub = await makeKeyPair(folder, "release");
      const raw = decodeKey(pub.split("\n")[1]!);
      raw.set([0x12, 0xf0, 0x14, 0x92, 0xd2, 0x70, 0x00, 0x0a], 2);
      const other = `untrusted comment: x\n${btoa(String.fromCharCode(...raw))}\n`;
      const signed = await signWithMinisign(folder, "release", MANIFEST);
      const { output } = await askMinisign(folder, MANIFEST, signed, other);
      assertStringIncludes(output, `in the public key is ${parsePublicKey(other).keyId}\n`);
      const message = await outcome(MANIFEST, signed, bytes(other));
      assertStringIncludes(output, `is ${/key (\w+),/.exec(message)![1]}\n`);
    }),
});

Deno.test({
  name: "thousands of mutations: nothing is accepted that the real minisign refuses",
  fn: () => inFolder(compareMutations),
});

async function compareMutations(folder: string): Promise<void> {
  const keys = { a: await makeKeyPair(folder, "a"), b: await makeKeyPair(folder, "b") };
  const cases = [];
  for (const legacy of [false, true]) {
    const sign = async (key: "a" | "b", document: Uint8Array): Promise<SignedDocument> => ({
      document,
      signature: await signWithMinisign(folder, key, document, { legacy }),
      publicKey: bytes(keys[key]),
    });
    const other = await sign("b", bytes('{ "version": "1.3.0" }\n'));
    cases.push(...mutations(await sign("a", MANIFEST), other));
  }
  const count = { cases: cases.length, bothAccept: 0, bothRefuse: 0, weRefuse: 0 };
  await inParallel(4, cases, async ({ what, document, signature, publicKey }) => {
    const theirs = (await askMinisign(folder, document, signature, publicKey)).accepted;
    const ours = await outcome(document, signature, publicKey);
    if (ours !== "accepted") {
      // Stricter in form only: what minisign verifies, verifies here.
      if (theirs) assertMatch(ours, /not one of minisign|public key that begins/, what);
      return void (theirs ? count.weRefuse++ : count.bothRefuse++);
    }
    assertEquals(theirs, true, `accepted here, refused by minisign: ${what}`);
    count.bothAccept++;
  });

  // Not everything is refused alike: harmless changes pass, and strictness is a small part.
  assertEquals(count.cases > 3000 && count.bothAccept > 50, true, JSON.stringify(count));
  assertEquals(count.bothRefuse > 3 * count.weRefuse, true, JSON.stringify(count));
}

async function outcome(
  document: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
): Promise<string> {
  try {
    await check(document, signature, new TextDecoder().decode(publicKey));
    return "accepted";
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    return error.message;
  }
}

async function inParallel<T>(
  width: number,
  items: readonly T[],
  run: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const ends = await Promise.allSettled(Array.from({ length: width }, async () => {
    for (const item of queue) await run(item);
  }));
  // Only when all have ended: the folder is removed next.
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
