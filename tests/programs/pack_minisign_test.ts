/** The maker's keys and signatures beside the real minisign. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  generateKey,
  openSecretKey,
  publicKeyLine,
  writeSecretKey,
} from "../../src/pack/secret_key.ts";
import { signDocument } from "../../src/pack/sign.ts";
import { encode } from "../pack/bed.ts";
import { askMinisign, makeKeyPair } from "./minisign.ts";

const DOCUMENT = encode('{ "schema": 1 }\n');
const COMMENT = "mytool 1.4.0\tfile:release.json";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  try {
    await run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Signs with the real program, which asks for the password on its standard input. */
async function minisign(args: string[], input = ""): Promise<void> {
  const child = new Deno.Command("minisign", { args, stdin: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(encode(input));
  await writer.close();
  const { success, stderr } = await child.output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
}

Deno.test("minisign's own key without a password signs here, and minisign accepts it", () =>
  inFolder(async (folder) => {
    const pub = await makeKeyPair(folder, "theirs");
    const key = openSecretKey(Deno.readTextFileSync(join(folder, "theirs.key")), undefined);
    assertStringIncludes(pub, publicKeyLine(key));
    const signature = await signDocument(DOCUMENT, key, COMMENT);
    const { accepted, output } = await askMinisign(folder, DOCUMENT, signature, pub);
    assertEquals(accepted, true, output);
    assertStringIncludes(output, COMMENT);
  }));

Deno.test("our key without a password signs there, and our signature is minisign's, byte by byte", () =>
  inFolder(async (folder) => {
    const key = await generateKey(crypto.getRandomValues(new Uint8Array(8)));
    const file = join(folder, "ours.key");
    Deno.writeTextFileSync(file, writeSecretKey(key, undefined, new Uint8Array(32)));
    const document = join(folder, "release.json");
    Deno.writeFileSync(document, DOCUMENT);
    const untrusted = `verify with the public key ${publicKeyLine(key)}`;
    await minisign(["-S", "-s", file, "-m", document, "-t", COMMENT, "-c", untrusted]);
    assertEquals(
      Deno.readTextFileSync(`${document}.minisig`),
      new TextDecoder().decode(await signDocument(DOCUMENT, key, COMMENT)),
    );
  }));

// Each of these takes a gigabyte and some seconds, as minisign means it to.
Deno.test("keys with a password go both ways", () =>
  inFolder(async (folder) => {
    const theirs = join(folder, "theirs.key");
    await minisign(["-G", "-f", "-p", join(folder, "theirs.pub"), "-s", theirs], "pw ö\npw ö\n");
    const key = openSecretKey(Deno.readTextFileSync(theirs), "pw ö");
    assertStringIncludes(Deno.readTextFileSync(join(folder, "theirs.pub")), publicKeyLine(key));

    const ours = join(folder, "ours.key");
    const salt = crypto.getRandomValues(new Uint8Array(32));
    Deno.writeTextFileSync(ours, writeSecretKey(key, "another", salt));
    const document = join(folder, "release.json");
    Deno.writeFileSync(document, DOCUMENT);
    await minisign(["-S", "-s", ours, "-m", document, "-t", COMMENT], "another\n");
    const signature = Deno.readFileSync(`${document}.minisig`);
    const { accepted } = await askMinisign(folder, DOCUMENT, signature, publicKeyLine(key));
    assertEquals(accepted, true);
  }));
