/** Keys, passwords and signatures. Beside the real minisign: tests/programs/pack_minisign_test.ts. */
import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { blake2b256 } from "../../src/pack/blake2b.ts";
import { parsePublicKey, verifySignature } from "../../src/release/minisign.ts";
import {
  generateKey,
  openSecretKey,
  publicKeyLine,
  scryptNumbers,
  writeSecretKey,
} from "../../src/pack/secret_key.ts";
import { UpdateError } from "../../src/base/errors.ts";
import { signDocument } from "../../src/pack/sign.ts";
import { Build, elf, encode } from "./bed.ts";

/** Of libsodium's kinds the weakest: a test tries many passwords. */
const LIGHT = { ops: 32_768, memory: 1024 * 1024 };
const salt = () => crypto.getRandomValues(new Uint8Array(32));
const hex: (bytes: Uint8Array) => string = encodeHex;

Deno.test("BLAKE2b-256 is the one of the reference implementation", () => {
  const vectors: [string, string][] = [
    ["", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"],
    ["abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"],
  ];
  for (const [text, digest] of vectors) assertEquals(hex(blake2b256(encode(text))), digest);
  // One, two and three blocks, exactly and with a rest, are different things.
  const lengths = [0, 1, 127, 128, 129, 255, 256, 257];
  const digests = lengths.map((length) => hex(blake2b256(new Uint8Array(length))));
  assertEquals(new Set(digests).size, lengths.length);
});

Deno.test("libsodium's limits become scrypt's numbers as libsodium does it", () => {
  assertEquals(scryptNumbers({ ops: 33_554_432, memory: 1_073_741_824 }), {
    N: 2 ** 20,
    r: 8,
    p: 1,
  });
  assertEquals(scryptNumbers({ ops: 524_288, memory: 16_777_216 }), { N: 2 ** 14, r: 8, p: 1 });
  assertEquals(scryptNumbers({ ops: 32_768, memory: 1_073_741_824 }), { N: 2 ** 10, r: 8, p: 1 });
});

Deno.test("a key file is opened by its password only", async () => {
  const key = await generateKey(crypto.getRandomValues(new Uint8Array(8)));
  const text = writeSecretKey(key, "pass wörd", salt(), LIGHT);
  assertEquals(openSecretKey(text, "pass wörd"), key);
  for (const wrong of ["", "pass word", "pass wörd "]) {
    const error = failure(() => openSecretKey(text, wrong));
    assertStringIncludes(error, "The password of the key is wrong");
  }
  assertEquals(openSecretKey(writeSecretKey(key, undefined, salt()), undefined), key);
  assertStringIncludes(failure(() => openSecretKey(publicKeyLine(key), "")), "is none of minisign");
});

Deno.test("one byte of a key file that is not right is found out, wherever it is", async () => {
  const key = await generateKey(crypto.getRandomValues(new Uint8Array(8)));
  const [comment, line] = writeSecretKey(key, undefined, salt()).split("\n") as [string, string];
  const raw = Uint8Array.from(atob(line), (char) => char.charCodeAt(0));
  for (let at = 54; at < raw.length; at++) {
    const damaged = raw.slice();
    damaged[at]! ^= 1;
    const text = `${comment}\n${btoa(String.fromCharCode(...damaged))}\n`;
    assertStringIncludes(failure(() => openSecretKey(text, undefined)), "damaged");
  }
});

Deno.test("a key whose halves do not belong together signs nothing", async () => {
  const id = crypto.getRandomValues(new Uint8Array(8));
  const [key, other] = [await generateKey(id), await generateKey(id)];
  const mixed = { ...key, publicKey: other.publicKey };
  await assertRejects(() => signDocument(encode("{}"), mixed, "x"), UpdateError, "not of these");
});

Deno.test("a new key signs, the shim's code verifies, and the signature is always the same", async () => {
  using build = new Build({ "dist/tool-1.0.0-linux-x64": elf("x86_64") });
  const made = await build.run(["--new-key", build.path("my.key")]);
  assertEquals(made.code, 0, made.stderr);
  assertEquals(Deno.statSync(build.path("my.key")).mode! & 0o777, 0o600);
  const [, publicKey] = /"publicKeys": \["(.+)"\]/.exec(made.stdout)!;
  assertStringIncludes(Deno.readTextFileSync(build.path("my.pub")), `\n${publicKey}\n`);
  const signatures = [];
  for (let count = 0; count < 2; count++) {
    const { code, stdout, stderr } = await build.run([
      "dist",
      "--sign",
      build.path("my.key"),
    ]);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /release\.json\.minisig, by key [0-9A-F]{14,16}\n$/);
    signatures.push(Deno.readFileSync(build.path("dist/release.json.minisig")));
  }
  assertEquals(signatures[0], signatures[1]);
  const document = Deno.readFileSync(build.path("dist/release.json"));
  const name = { url: "release.json" };
  const keys = [parsePublicKey(publicKey!)];
  const { trustedComment } = await verifySignature(document, signatures[0]!, keys, name);
  assertEquals(trustedComment, "tool 1.0.0\tfile:release.json");
});

Deno.test("a key is never replaced", async () => {
  using build = new Build();
  await build.run(["--new-key", build.path("my.key")]);
  const before = Deno.readTextFileSync(build.path("my.key"));
  const misnamed = await build.run(["--new-key", build.path("my.pub")]);
  assertEquals(misnamed.code, 2);
  assertStringIncludes(misnamed.stderr, "is no name for a secret key");
  const { code, stderr } = await build.run(["--new-key", build.path("my.key")]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "a key is never replaced");
  assertEquals(Deno.readTextFileSync(build.path("my.key")), before);
});

Deno.test("a password comes from a file, a variable or a person; where nobody is, nothing waits", async () => {
  using build = new Build({ "dist/tool-1.0.0-linux-x64": elf("x86_64") });
  const key = await generateKey(crypto.getRandomValues(new Uint8Array(8)));
  const keyFile = build.write("keys/my.key", writeSecretKey(key, "geheim", salt(), LIGHT));
  const file = build.write("keys/password", "geheim\n");
  const args = ["dist", "--sign", keyFile];

  const alone = await build.run(args);
  assertEquals(alone.code, 2);
  assertStringIncludes(alone.stderr, "nobody can be asked");
  assertStringIncludes(alone.stderr, "--password-file FILE or --password-env NAME");

  assertEquals((await build.run([...args, "--password-file", file])).code, 0);
  const env = (name: string) => name === "SECRET" ? "geheim" : undefined;
  assertEquals((await build.run([...args, "--password-env", "SECRET"], { env })).code, 0);
  const unset = await build.run([...args, "--password-env", "OTHER"], { env });
  assertEquals(unset.code, 2);
  assertStringIncludes(unset.stderr, "The variable OTHER is not set");

  const questions: string[] = [];
  const askSecret = (question: string) => (questions.push(question), "geheim");
  assertEquals((await build.run(args, { isInteractive: true, askSecret })).code, 0);
  assertEquals(questions, [`Password of ${keyFile}: `]);
  const givenUp = await build.run(args, { isInteractive: true, askSecret: () => undefined });
  assertEquals(givenUp.code, 130);
});

Deno.test("the signature of an older manifest does not stay beside a new one", async () => {
  using build = new Build({ "dist/tool-1.0.0-linux-x64": elf("x86_64") });
  await build.run(["--new-key", build.path("my.key")]);
  assertEquals((await build.run(["dist", "--sign", build.path("my.key")])).code, 0);
  const path = build.path("dist/release.json.minisig");
  assertEquals(Deno.statSync(path).isFile, true);
  const { code, stdout } = await build.run(["dist"]);
  assertEquals(code, 0);
  assertStringIncludes(stdout, `Removed ${path}: it was of the manifest before.`);
  assertThrows(() => Deno.statSync(path), Deno.errors.NotFound);
});

function failure(step: () => unknown): string {
  try {
    step();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}
