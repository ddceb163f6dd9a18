import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { decodeHex } from "@std/encoding/hex";
import { UpdateError } from "../../src/base/errors.ts";
import {
  parsePublicKey,
  type VerifiedSignature,
  verifySignature,
} from "../../src/release/minisign.ts";
import {
  bytes,
  createSigner,
  decodeKey,
  encodeKey,
  GROUP_ORDER,
  signatureFile,
  toBytes,
  toNumber,
} from "../support/signer.ts";

const MANIFEST = bytes('{ "schema": 1, "name": "mytool", "version": "1.4.0" }\n');
const URL = "https://example.com/release.json";
const SECRET_URL = "https://me:secret@example.com/release.json?token=secret";

function check(document: Uint8Array, signature: Uint8Array, ...keys: string[]) {
  return verifySignature(document, signature, keys.map(parsePublicKey), { url: SECRET_URL });
}

/** The message of the refusal. Anything but an `UpdateError` of kind `verification` is a bug. */
async function refusal(result: Promise<VerifiedSignature>): Promise<string> {
  const error: UpdateError = await assertRejects(() => result, UpdateError);
  assertEquals(error.kind, "verification");
  assertEquals(error.url, URL);
  return error.message;
}

// Vectors of jedisct1/rust-minisign-verify, src/lib.rs: made by minisign itself, checked by another.
const RUST_KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const RUST_LEGACY = `untrusted comment: signature from minisign secret key
RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=
trusted comment: timestamp:1555779966\tfile:test
QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==
`;
const RUST_PREHASHED = `untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1556193335\tfile:test
y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==
`;

Deno.test("signatures of other people's minisign are accepted, legacy and prehashed", async () => {
  for (const [text, time] of [[RUST_LEGACY, "1555779966"], [RUST_PREHASHED, "1556193335"]]) {
    assertEquals(await check(bytes("test"), bytes(text!), RUST_KEY), {
      keyId: "E7620F1842B4E81F",
      trustedComment: `timestamp:${time}\tfile:test`,
    });
    assertStringIncludes(
      await refusal(check(bytes("Test"), bytes(text!), RUST_KEY)),
      "The signature with key E7620F1842B4E81F is not of these bytes",
    );
  }
});

Deno.test("a public key is the base64 line or the .pub file, and nothing else", () => {
  const file = `untrusted comment: minisign public key E7620F1842B4E81F\n${RUST_KEY}\n`;
  for (const text of [RUST_KEY, `${RUST_KEY}\n`, file, file.trimEnd()]) {
    assertEquals(parsePublicKey(text).keyId, "E7620F1842B4E81F");
  }
  const wrong = {
    "": "not the base64 of 42 bytes",
    [RUST_KEY.slice(1)]: "not the base64 of 42 bytes",
    [`${RUST_KEY} `]: "not the base64 of 42 bytes",
    [file.replaceAll("\n", "\r\n")]: "not the base64 of 42 bytes",
    [`${file}\n`]: "neither one line of base64 nor the two lines",
    [`${RUST_KEY}\n${RUST_KEY}`]: "neither one line of base64 nor the two lines",
    [RUST_KEY.replace("RWQ", "RUQ")]: "not an Ed25519 key of minisign",
  };
  for (const [text, message] of Object.entries(wrong)) {
    const error: UpdateError = assertThrows(() => parsePublicKey(text), UpdateError);
    assertEquals(error.kind, "usage");
    assertStringIncludes(error.message, message);
  }
});

Deno.test("with several keys each of them may sign, and a stranger's key id is named", async () => {
  const [old, current, stranger] = [
    await createSigner(),
    await createSigner(),
    await createSigner(),
  ];
  const keys = [old.publicKey, current.publicKey] as const;
  for (const signer of [old, current]) {
    const { keyId } = await check(MANIFEST, await signer.sign(MANIFEST), ...keys);
    assertEquals(keyId, parsePublicKey(signer.publicKey).keyId);
  }
  const message = await refusal(check(MANIFEST, await stranger.sign(MANIFEST), ...keys));
  for (const { publicKey } of [old, current, stranger]) {
    assertStringIncludes(message, parsePublicKey(publicKey).keyId);
  }
  assertStringIncludes(await refusal(check(MANIFEST, await old.sign(MANIFEST))), "(none)");
});

Deno.test("the key decides, not the id that it claims", async () => {
  const [author, thief] = [await createSigner(), await createSigner()];
  const claimed = encodeKey(author.id, decodeKey(thief.publicKey).slice(10));
  const good = await author.sign(MANIFEST);
  assertStringIncludes(await refusal(check(MANIFEST, good, claimed)), "is not of these bytes");
  // Two keys of one id: the right one is found whatever the order.
  for (const keys of [[claimed, author.publicKey], [author.publicKey, claimed]]) {
    await check(MANIFEST, good, ...keys);
  }
});

Deno.test("an altered trusted comment is refused and told apart from an altered manifest", async () => {
  const signer = await createSigner();
  const signed = new TextDecoder().decode(await signer.sign(MANIFEST, { trustedComment: "v=1" }));
  assertStringIncludes(
    await refusal(check(MANIFEST, bytes(signed.replace("v=1", "v=2")), signer.publicKey)),
    "its trusted comment was altered",
  );
});

Deno.test("one signature has one form: CRLF, more lines and loose base64 are refused", async () => {
  const signer = await createSigner();
  const good = new TextDecoder().decode(await signer.sign(MANIFEST));
  await check(MANIFEST, bytes(good.trimEnd()), signer.publicKey);
  const refused = {
    "a control character in line 1": good.replaceAll("\n", "\r\n"),
    "5 lines instead of 4": `${good}\n`,
    "6 lines instead of 4": `${good}\nmore\n`,
    "3 lines instead of 4": good.split("\n").slice(0, 3).join("\n"),
    "a control character in line 3": good.replace("file:", "file:\x1b[2J"),
    'line 1 does not begin with "untrusted comment: "': good.replace("untrusted", "Untrusted"),
    'line 3 does not begin with "trusted comment: "': good.replace("\ntrusted", "\nTrusted"),
    "line 2 is not the base64 of 74 bytes": good.replace("=\n", "\n"),
    "line 4 is not the base64 of 64 bytes": good.replace("==\n", "=\n"),
    "longer than 8192 bytes": good.replace("file:", `file:${"x".repeat(8192)}`),
    "line 1 is too long": good.replace("from a test", "x".repeat(1100)),
  };
  for (const [message, text] of Object.entries(refused)) {
    assertStringIncludes(await refusal(check(MANIFEST, bytes(text), signer.publicKey)), message);
  }
  const latin1 = bytes(good.slice(0, 30), Uint8Array.of(0xe9), good.slice(30));
  assertStringIncludes(await refusal(check(MANIFEST, latin1, signer.publicKey)), "not UTF-8");
});

Deno.test("Ed25519 has one signature where the specification has one (Wycheproof)", async () => {
  const key = decodeHex("7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa");
  const id = new Uint8Array(8).fill(7);
  const says = (message: string, signature: Uint8Array) =>
    refusal(check(
      bytes(message),
      signatureFile({
        id,
        signature,
        global: new Uint8Array(64),
        trustedComment: "",
        legacy: true,
      }),
      encodeKey(id, key),
    ));
  // tcId 3 is valid, so that only the (missing) global signature is refused.
  const valid = decodeHex(
    "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab0" +
      "7a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b30d",
  );
  assertStringIncludes(await says("Test", valid), "trusted comment was altered");
  const [r, s] = [valid.slice(0, 32), toNumber(valid.slice(32))];
  // tcId 63 to 70: S + nL, S + 2^n, S + p are the same scalar to a lenient reader.
  const added = [1n, 2n, 4n, 8n].map((n) => n * GROUP_ORDER);
  for (const more of [...added, 2n ** 253n, 2n ** 254n, 2n ** 255n, 2n ** 255n - 19n]) {
    assertStringIncludes(await says("Test", bytes(r, toBytes(s + more))), "is not of these bytes");
  }
  // tcId 10 to 29: special values of R and S.
  const special = [0n, 1n, GROUP_ORDER - 1n, GROUP_ORDER, 2n ** 255n - 19n, 2n ** 255n - 20n];
  for (const first of special) {
    for (const second of special) {
      const signature = bytes(toBytes(first), toBytes(second));
      assertStringIncludes(await says("?", signature), "is not of these bytes");
    }
  }
});

Deno.test("a key for which anybody can sign is refused", () => {
  // The encodings of the eight points of small order, and three that are not canonical.
  const p = 2n ** 255n - 19n;
  const order8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
  const weak = [0n, 1n, p - 1n, p, p + 1n, p + 18n, toNumber(decodeHex(order8))];
  weak.push(p - weak.at(-1)!);
  for (const y of weak.flatMap((y) => [y, y + 2n ** 255n])) {
    const text = encodeKey(new Uint8Array(8), toBytes(y));
    const error: UpdateError = assertThrows(() => parsePublicKey(text), UpdateError);
    assertStringIncludes(error.message, "anybody can sign for this key");
  }
});

Deno.test("a signature made without a nonce is refused", async () => {
  const signer = await createSigner();
  const signature = await signer.signWithoutNonce(MANIFEST);
  const message = await refusal(check(MANIFEST, signature, signer.publicKey));
  assertStringIncludes(message, "is not of these bytes");
});
