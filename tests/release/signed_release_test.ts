import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { parsePublicKey } from "../../src/release/minisign.ts";
import { type Bed, makeBed, type Outcome, runProgram } from "../support/signed_release.ts";
import { gzip, tar } from "../support/archive_corpus.ts";
import { sha256 } from "../support/shim.ts";
import { bytes, createSigner, decodeKey, encodeKey } from "../support/signer.ts";
import { tool } from "../support/world.ts";

const VERIFICATION = 4, USAGE = 2;

/** Refused with that sentence, and the tool is the old one. */
function assertRefused(outcome: Outcome, message: string, code = VERIFICATION): void {
  assertStringIncludes(outcome.stderr, message);
  assertEquals([outcome.code, outcome.tool], [code, "tool 1.0.0"], outcome.stderr);
}

function assertInstalled(outcome: Outcome, version: string): void {
  assertEquals([outcome.code, outcome.tool], [0, `tool ${version}`], outcome.stderr);
}

Deno.test("a signed release is installed, prehashed or legacy, and the key is named", async () => {
  for (const legacy of [false, true]) {
    await using bed = await makeBed();
    await bed.publish({ version: "2.0.0", legacy });
    const outcome = await bed.update(["--json"]);
    assertInstalled(outcome, "2.0.0");
    const { keyId } = parsePublicKey(bed.author.publicKey);
    assertStringIncludes(outcome.stderr, `signed by key ${keyId}`);
    assertStringIncludes(outcome.stdout, `"signedBy":"${keyId}"`);
  }
});

Deno.test("while keys are rotated either signs, and afterwards only the new one", async () => {
  await using bed = await makeBed();
  const next = await createSigner();
  await bed.publish({ version: "2.0.0" });
  assertInstalled(await bed.update(["--public-key", next.publicKey]), "2.0.0");
  await bed.publish({ version: "3.0.0", by: next });
  assertInstalled(await bed.update(["--public-key", next.publicKey]), "3.0.0");
  await bed.publish({ version: "4.0.0" });
  const { code, stderr } = await runProgram(
    bed.folder,
    ["--public-key", next.publicKey],
    bed.manifest,
  );
  assertEquals(code, VERIFICATION);
  assertMatch(stderr, /Signed with key \w+, not with a trusted one/);
});

Deno.test("with a key configured, nothing unsigned is installed", async () => {
  await using bed = await makeBed();
  await bed.publish({ version: "2.0.0", by: null });
  assertRefused(await bed.update(), `The release manifest is not signed: ${bed.manifest}`);
  bed.served.set("/release.json.minisig", bytes("untrusted comment: nothing\n"));
  assertRefused(await bed.update(), "The signature is not one of minisign");
  bed.served.set("/release.json.minisig", new Uint8Array(9000));
  assertRefused(await bed.update(), "larger than 8192 bytes");
});

Deno.test("keys in the configuration count like those on the command line", async () => {
  await using bed = await makeBed();
  const config = { manifest: bed.manifest, publicKeys: [bed.author.publicKey] };
  Deno.writeTextFileSync(join(bed.folder, "updater-shim.json"), JSON.stringify(config));
  await bed.publish({ version: "2.0.0", by: null });
  assertRefused(await runProgram(bed.folder, [], bed.manifest), "is not signed");
  await bed.publish({ version: "2.0.0" });
  assertInstalled(await runProgram(bed.folder, [], bed.manifest), "2.0.0");
});

Deno.test("a key that is none is a mistake of the configuration, before any request", async () => {
  await using bed = await makeBed();
  assertRefused(await bed.update(["--public-key", "RWQ"]), 'begins with "RWQ" is not valid', USAGE);
});

Deno.test("without a key the output says so once, and --repair needs none", async () => {
  await using bed = await makeBed();
  await bed.publish({ version: "2.0.0", by: null });
  const outcome = await runProgram(bed.folder, [], bed.manifest);
  assertInstalled(outcome, "2.0.0");
  assertEquals(outcome.stderr.match(/not signed/g)?.length, 1);
  const repair = await runProgram(bed.folder, ["--repair"]);
  assertEquals([repair.code, repair.stderr], [0, "Nothing to repair.\n"]);
});

Deno.test("another key is refused, also under the author's key id", async () => {
  await using bed = await makeBed();
  const thief = await createSigner();
  await bed.publish({ version: "2.0.0", by: thief });
  assertRefused(await bed.update(), "not with a trusted one");
  const signature = bed.served.get("/release.json.minisig")!;
  const lines = new TextDecoder().decode(signature).split("\n");
  const raw = decodeKey(lines[1]!);
  raw.set(bed.author.id, 2);
  lines[1] = btoa(String.fromCharCode(...raw));
  bed.served.set("/release.json.minisig", bytes(lines.join("\n")));
  assertRefused(await bed.update(), "is not of these bytes");
  // Nor does a key that claims the author's id open the door to the author's signatures.
  await bed.publish({ version: "2.0.0" });
  const claimed = encodeKey(bed.author.id, decodeKey(thief.publicKey).slice(10));
  const outcome = await runProgram(bed.folder, ["--public-key", claimed], bed.manifest);
  assertRefused(outcome, "is not of these bytes");
});

Deno.test("a manifest is not interpreted before its signature is found good", async () => {
  await using bed = await makeBed();
  await bed.publish({ version: "2.0.0" });
  bed.served.set("/release.json", bytes("{ not JSON"));
  const outcome = await bed.update();
  assertRefused(outcome, "is not of these bytes");
  assertNotMatch(outcome.stderr, /JSON/);
});

/** Every part of a signed manifest, exchanged for that of another release. */
const EXCHANGES: Record<string, (manifest: string, bed: Bed) => string> = {
  version: (text) => text.replace("2.0.0", "2.0.1"),
  name: (text) => text.replace('"name":"tool"', '"name":"fool"'),
  platform: (text) => text.replace(Deno.build.target, "another-platform"),
  url: (text) => text.replace("files/tool", "files/fool"),
  size: (text) => text.replace(/"size":\d/, '"size":9'),
  digest: (text) => text.replace(/"sha256":"./, '"sha256":"f'),
  target: (text) => text.replace('"target":"tool"', '"target":"tool2"'),
  expiry: (text) => text.replace("2.0.0", '2.0.0","expires":"2999-01-01T00:00:00Z'),
};

for (const [part, exchange] of Object.entries(EXCHANGES)) {
  Deno.test(`the signature covers the manifest's ${part}`, async () => {
    await using bed = await makeBed();
    await bed.publish({ version: "2.0.0" });
    const before = new TextDecoder().decode(bed.served.get("/release.json"));
    const after = exchange(before, bed);
    assertEquals(before === after, false);
    bed.served.set("/release.json", bytes(after));
    assertRefused(await bed.update(), "is not of these bytes");
  });
}

Deno.test("a release of another tool, platform or version is refused though it is signed", async () => {
  await using bed = await makeBed();
  const name = { name: "tool", manifest: bed.manifest };
  Deno.writeTextFileSync(join(bed.folder, "updater-shim.json"), JSON.stringify(name));
  await bed.publish({ version: "2.0.0", change: { name: "other" } });
  assertRefused(await bed.update(), 'is of "other", not of "tool"');
  await bed.publish({ version: "2.0.0", change: { platforms: {} } });
  assertRefused(await bed.update(), `is not made for this platform`, USAGE);
  await bed.publish({ version: "2.0.0" });
  const pinned = ["--pin", "1.9.0", "--manifest", bed.manifest];
  assertRefused(await bed.update(pinned), "offers version 2.0.0, not 1.9.0");
});

Deno.test("the file of another release under a signed manifest is refused", async () => {
  await using bed = await makeBed();
  await bed.publish({ version: "2.0.0" });
  // Of the same length: only the digest tells.
  bed.served.set("/files/tool", bytes(tool("6.6.6")));
  const outcome = await bed.update();
  assertEquals([outcome.code, outcome.tool], [VERIFICATION, "tool 1.0.0"], outcome.stderr);
});

Deno.test("an archive that is signed and hostile all the same leaves nothing behind", async () => {
  await using bed = await makeBed();
  const archive = gzip(tar({ name: "tool", content: tool("2.0.0") }, { name: "../evil" }));
  const size = archive.length;
  const entry = { url: "files/tool.tar.gz", size, sha256: sha256(archive), member: "tool" };
  const files = [{ target: "tool", ...entry }];
  await bed.publish({
    version: "2.0.0",
    change: { platforms: { [Deno.build.target]: { files } } },
  });
  bed.served.set("/files/tool.tar.gz", archive);
  assertRefused(await bed.update(), 'it has an entry with an unsafe name, "../evil"');
  const names = [...Deno.readDirSync(bed.folder)].map(({ name }) => name).sort();
  assertEquals(names, [".updater-shim", "tool"]);
  assertEquals(
    [...Deno.readDirSync(join(bed.folder, ".updater-shim", "updater-shim", "partial"))],
    [],
  );
});

Deno.test("an older signed release is refused, whatever was done to the receipt", async () => {
  for (const receipt of ["kept", "removed", "damaged", "spoilt version"]) {
    await using bed = await makeBed();
    await bed.publish({ version: "2.0.0" });
    assertInstalled(await bed.update(), "2.0.0");
    const path = join(bed.folder, ".updater-shim", "updater-shim", "receipt.json");
    if (receipt === "removed") Deno.removeSync(path);
    if (receipt === "damaged") Deno.writeTextFileSync(path, "{}");
    if (receipt === "spoilt version") {
      const text = Deno.readTextFileSync(path);
      Deno.writeTextFileSync(
        path,
        text.replace('"highest": {\n    "version": "2.0.0"', '"highest": {\n    "version": "x"'),
      );
      assertNotEquals(Deno.readTextFileSync(path), text);
    }
    await bed.publish({ version: "1.9.0" });
    const outcome = await bed.update();
    assertMatch(
      outcome.stderr,
      /1\.9\.0 is older than the (installed|highest seen) version 2\.0\.0/,
    );
    assertEquals([outcome.code, outcome.tool], [VERIFICATION, "tool 2.0.0"], receipt);
    assertInstalled(await bed.update(["--allow-downgrade"]), "1.9.0");
  }
});

Deno.test("the highest version ever accepted stays the floor after a rollback", async () => {
  await using bed = await makeBed();
  await bed.publish({ version: "2.0.0" });
  assertInstalled(await bed.update(), "2.0.0");
  const back = await runProgram(bed.folder, ["--rollback"]);
  assertInstalled(back, "1.0.0");
  await bed.publish({ version: "1.9.0" });
  assertRefused(await bed.update(), "1.9.0 is older than the highest seen version 2.0.0");
  await bed.publish({ version: "2.0.0" });
  const declined = await bed.update();
  assertStringIncludes(declined.stderr, "1.0.0 is installed. You went back from 2.0.0");
  assertInstalled(await bed.update(["--force"]), "2.0.0");
});

Deno.test("the same version with other bytes is refused without --force", async () => {
  await using bed = await makeBed();
  await bed.publish({ version: "2.0.0" });
  assertInstalled(await bed.update(), "2.0.0");
  await bed.publish({ version: "2.0.0", content: `${tool("2.0.0")}# other bytes\n` });
  const outcome = await bed.update();
  assertStringIncludes(outcome.stderr, "Version 2.0.0 has other bytes than the installed version");
  assertEquals(outcome.code, VERIFICATION);
  assertInstalled(await bed.update(["--force"]), "2.0.0");
});

Deno.test("a signed release past its date is refused with the date and the clock's time", async () => {
  await using bed = await makeBed();
  await bed.publish({ version: "2.0.0", change: { expires: "2020-01-01T00:00:00Z" } });
  const outcome = await bed.update();
  assertRefused(outcome, "expired on 2020-01-01T00:00:00Z");
  assertMatch(outcome.stderr, /This machine's clock says 20\d\d-/);
});

Deno.test("credentials and queries of the manifest's address are in no output and no file", async () => {
  await using bed = await makeBed();
  await bed.publish({ version: "2.0.0" });
  const secret = bed.manifest.replace("://", "://me:s3cret@") + "?token=s3cret";
  const good = await bed.update(["--json", "--manifest", secret]);
  assertInstalled(good, "2.0.0");
  bed.served.set("/release.json.minisig", bytes("x"));
  const bad = await bed.update(["--json", "--manifest", secret]);
  assertEquals(bad.code, VERIFICATION);
  const state = join(bed.folder, ".updater-shim", "updater-shim");
  const files = ["log.txt", "last-run.json", "receipt.json"].map((name) =>
    Deno.readTextFileSync(join(state, name))
  );
  for (const text of [good.stdout, good.stderr, bad.stdout, bad.stderr, ...files]) {
    assertEquals(text.length > 0, true);
    assertNotMatch(text, /s3cret/);
  }
});
