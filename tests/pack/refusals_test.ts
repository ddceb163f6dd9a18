/** What a user's shim would refuse is refused here, each with what to add. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Build, elf, macho, pe, sha256, tarGz, zipped } from "./bed.ts";
import { writeSecretKey } from "../../src/pack/secret_key.ts";
import { tar } from "../support/archive_corpus.ts";

interface Refusal {
  readonly files: Record<string, Uint8Array | string>;
  readonly args?: readonly string[];
  readonly code: 2 | 4;
  /** Parts of what is said. */
  readonly says: readonly string[];
  /** With these it is accepted. */
  readonly then?: readonly string[];
}

const LINUX = { "tool-1.0.0-linux-x64": elf("x86_64") };

/** In the right format; nobody's. */
const SECRET = writeSecretKey(
  { id: new Uint8Array(8), seed: new Uint8Array(32), publicKey: new Uint8Array(32) },
  undefined,
  new Uint8Array(32),
);

const CASES: Record<string, Refusal> = {
  "a secret key among the files": {
    files: { ...LINUX, "mytool.key": SECRET },
    code: 2,
    says: ['mytool.key" has a secret key in it', "Move it out of"],
  },
  "a secret key by another name, below, left out by --exclude": {
    files: { ...LINUX, "sub/notes.txt": SECRET.replaceAll("\n", "\r\n") },
    args: ["--exclude", "*notes*"],
    code: 2,
    says: ['notes.txt" has a secret key in it'],
  },
  "a secret key in a hidden file of settings": {
    files: { ...LINUX, ".env": `KEY='${SECRET}'\n` },
    code: 2,
    says: ['.env" has a secret key in it'],
  },
  "an address without https://": {
    files: LINUX,
    args: ["--url", "example.com/mytool"],
    code: 2,
    says: ["--url example.com/mytool is no URL", "--url https://example.com/mytool"],
    then: ["--url", "https://example.com/mytool"],
  },
  "an address with a slash too few": {
    files: LINUX,
    args: ["--url", "https:/example.com/mytool"],
    code: 2,
    says: ["is no URL", "--url https://example.com/mytool"],
  },
  "an address that is not encrypted": {
    files: LINUX,
    args: ["--url", "http://example.com/mytool"],
    code: 2,
    says: ["http is not encrypted", "Write --url https://example.com/mytool"],
    then: ["--url", "http://127.0.0.1:8080/mytool"],
  },
  "an address that nothing is fetched from": {
    files: LINUX,
    args: ["--url", "ftp://example.com/mytool"],
    code: 2,
    says: ["only https is supported", "Write --url https://example.com/mytool"],
    then: ["--url", "../1.0.0"],
  },
  "a version of two numbers": {
    files: { "tool-v1.4-linux-x64": elf("x86_64") },
    code: 2,
    says: ['"1.4" is no version', "--version 1.4.0"],
    then: ["--version", "1.4.0"],
  },
  "a version with a v and two numbers": {
    files: LINUX,
    args: ["--version", "v1.4"],
    code: 2,
    says: ['"v1.4" is no version', "--version 1.4.0"],
    then: ["--version", "v1.4.0"],
  },
  "a version of year and month": {
    files: LINUX,
    args: ["--version", "2026.11"],
    code: 2,
    says: ['"2026.11" is no version', "--version 2026.11.0"],
    then: ["--version", "2026.11.0"],
  },
  "a version with a leading zero": {
    files: LINUX,
    args: ["--version", "2026.07.1"],
    code: 2,
    says: ["--version 2026.7.1"],
    then: ["--version", "2026.7.1"],
  },
  "no version at all": {
    files: { "tool-linux-x64": elf("x86_64") },
    code: 2,
    says: ["Nothing there says which version", "--version 1.4.0"],
    then: ["--version", "1.4.0", "--url", "https://example.com/1.4.0"],
  },
  "an executable for another processor": {
    files: { ...LINUX, "tool-1.0.0-linux-arm64": elf("x86_64") },
    code: 4,
    says: [
      '"tool-1.0.0-linux-arm64" is an executable for x86_64 Linux, not for aarch64-unknown-linux-gnu',
      '--exclude "tool-1.0.0-linux-arm64"',
    ],
    then: ["--exclude", "tool-1.0.0-linux-arm64"],
  },
  "an executable for another system, in an archive": {
    files: { ...LINUX, "tool-1.0.0-macos-arm64.tar.gz": tarGz({ "t/tool": elf("aarch64") }) },
    code: 4,
    says: ['"tool" in "tool-1.0.0-macos-arm64.tar.gz" is an executable for aarch64 Linux, not for'],
    then: ["--exclude", "*macos*"],
  },
  "one for Windows on the other processor": {
    files: { ...LINUX, "tool-1.0.0-windows-arm64.exe": pe("x86_64") },
    code: 4,
    says: ["is an executable for x86_64 Windows, not for aarch64-pc-windows-msvc"],
    then: ["--platform", "tool-1.0.0-windows-arm64.exe=x86_64-pc-windows-msvc"],
  },
  "one for macOS on one processor that says both": {
    files: { ...LINUX, "tool-1.0.0-macos-universal": macho("aarch64") },
    code: 4,
    says: ["is an executable for aarch64 macOS, not for x86_64-apple-darwin"],
    then: ["--platform", "tool-1.0.0-macos-universal=darwin-arm64"],
  },
  "one that needs the other C library": {
    files: { "tool-1.0.0-x86_64-unknown-linux-gnu": elf("x86_64", { libc: "musl" }) },
    code: 4,
    says: ["is an executable for x86_64 Linux (musl), not for x86_64-unknown-linux-gnu"],
    then: ["--platform", "tool-1.0.0-x86_64-unknown-linux-gnu=x86_64-unknown-linux-musl"],
  },
  "one that is cut off": {
    files: { ...LINUX, "tool-1.0.0-macos-arm64.tar.gz": tarGz({ "t/tool": cutOff() }) },
    code: 4,
    says: ['"t/tool" in it is cut off'],
    then: ["--exclude", "*macos*"],
  },
  "an archive of two meanings": {
    files: {
      ...LINUX,
      "tool-1.0.0-macos-arm64.tar": tar(
        { name: "tool", content: macho("aarch64") },
        { name: "TOOL", content: macho("aarch64", { body: "2" }) },
      ),
    },
    code: 4,
    says: ["two members named like"],
    then: ["--exclude", "*macos*"],
  },
  "an archive with a way out": {
    files: { ...LINUX, "tool-1.0.0-macos-arm64.tar": tar({ name: "../tool", content: "x" }) },
    code: 4,
    says: ['Cannot read the .tar file "tool-1.0.0-macos-arm64.tar"', "unsafe name"],
    then: ["--exclude", "*macos*"],
  },
  "an archive that is cut off": {
    files: {
      ...LINUX,
      "tool-1.0.0-win-x64.zip": zipped({ "tool.exe": pe("x86_64") }).slice(0, -10),
    },
    code: 4,
    says: ["Cannot read the .zip file", "cut off"],
    then: ["--exclude", "*win*"],
  },
  "a checksum of something else": {
    files: { ...LINUX, SHA256SUMS: `${"0".repeat(64)}  tool-1.0.0-linux-x64\n` },
    code: 4,
    says: ['is not what "SHA256SUMS" says'],
  },
  "two different executables for one platform": {
    files: {
      "tool-1.0.0-linux-x64.tar.gz": tarGz({ tool: elf("x86_64") }),
      "tool-1.0.0-linux-x64.zip": zipped({ tool: elf("x86_64", { body: "2" }) }),
    },
    code: 2,
    says: ['hold different executables "tool"', '--exclude "tool-1.0.0-linux-x64.zip"'],
    then: ["--exclude", "tool-1.0.0-linux-x64.zip"],
  },
  "other executables on other platforms": {
    files: {
      "tool-1.0.0-linux-x64.tar.gz": tarGz({ tool: elf("x86_64"), helper: elf("x86_64") }),
      "tool-1.0.0-macos-arm64.tar.gz": tarGz({ tool: macho("aarch64") }),
    },
    code: 2,
    says: ['"helper" (only for x86_64-unknown-linux-gnu)', "--executable helper --executable tool"],
    then: ["--executable", "tool"],
  },
  "an executable that is nowhere": {
    files: LINUX,
    args: ["--executable", "tol"],
    code: 2,
    says: ['No file has an executable "tol"', "There are: tool. Did you mean --executable tool?"],
    then: ["--executable", "tool"],
  },
  "executables without a common name": {
    files: { "a-1.0.0-linux-x64": elf("x86_64"), "b-1.0.0-linux-x64": elf("x86_64") },
    code: 2,
    says: ["Nothing there says what the tool is called", "--name a"],
    then: ["--name", "mytool"],
  },
  "a name with a space": {
    files: LINUX,
    args: ["--name", "my tool"],
    code: 2,
    says: ["A shim would refuse this manifest", "name: expected up to 100 letters", "see --help"],
    then: ["--name", "tool"],
  },
  "a homepage that is no page": {
    files: LINUX,
    args: ["--homepage", "mailto:me"],
    code: 2,
    says: ["homepage: expected an http(s) URL"],
    then: ["--homepage", "https://example.com/"],
  },
  "notes of two lines": {
    files: LINUX,
    args: ["--notes", "one\ntwo"],
    code: 2,
    says: ["notes: expected one line of text"],
    then: ["--notes", "one"],
  },
  "an executable with a name that Windows does not allow": {
    files: { "tool-1.0.0-win-x64.zip": zipped({ "aux.exe": pe("x86_64") }) },
    code: 2,
    says: ["files[0].target: expected a plain file name"],
  },
  "an expiry that is over": {
    files: LINUX,
    args: ["--expires", "2020-01-01T00:00:00Z"],
    code: 4,
    says: ["expired on 2020-01-01"],
    then: ["--expires", "1y"],
  },
  "nothing for any shim": {
    files: { "tool-1.0.0-freebsd-amd64": elf("x86_64"), "README.md": "read me" },
    code: 2,
    says: ["no file for any platform that has a shim"],
  },
  "a name of a file that is not there": {
    files: LINUX,
    args: ["--platform", "tol=linux-x64"],
    code: 2,
    says: ['there is no file "tol"'],
  },
  "an option that is mistyped": {
    files: LINUX,
    args: ["--expire", "1y"],
    code: 2,
    says: ['Unknown option "--expire"; did you mean "--expires"?'],
    then: ["--expires", "1y"],
  },
};

function cutOff(): Uint8Array {
  const whole = elf("aarch64", { libc: "gnu" });
  const view = new DataView(whole.buffer);
  // A part that is loaded (PT_LOAD) ends far behind the file.
  view.setUint32(64, 1, true);
  view.setBigUint64(64 + 32, 1_000_000n, true);
  return whole;
}

for (const [name, { files, args = [], code, says, then }] of Object.entries(CASES)) {
  Deno.test(`refused: ${name}`, async () => {
    using build = new Build(files);
    const refused = await build.pack(...args);
    assertEquals(refused.code, code, refused.stderr);
    for (const part of says) assertStringIncludes(refused.stderr, part);
    assertEquals(build.manifestIfAny(), undefined);
    if (!then) return;
    const accepted = await build.pack(...then);
    // Of a version or name that only the option says it warns, and has a test of its own.
    const rest = accepted.stderr.replace(
      /^updater-shim-pack: warning: --(version|name) .*\n/gm,
      "",
    );
    assertEquals([accepted.code, rest], [0, ""]);
    const targets = Object.values<{ files: { target: string }[] }>(build.manifest().platforms)
      .flatMap(({ files }) => files.map(({ target }) => target.replace(/\.exe$/, "")));
    const name = says.some((part) => part.includes("called")) ? ["a", "b"] : ["tool"];
    assertEquals([...new Set(targets)], name);
  });
}

Deno.test("several refusals are told at once", async () => {
  using build = new Build({
    "tool-1.0.0-linux-arm64": elf("x86_64"),
    "tool-1.0.0-macos-arm64": elf("x86_64"),
  });
  const { code, stderr } = await build.pack();
  assertEquals(code, 4);
  assertStringIncludes(stderr, '"tool-1.0.0-linux-arm64" is');
  assertStringIncludes(stderr, '"tool-1.0.0-macos-arm64" is');
});

Deno.test("checksums of every fashion are compared", async () => {
  const content = elf("x86_64"), archive = tarGz({ tool: content });
  const other = "f".repeat(64);
  const single = (name: string, text: (hash: string) => string, hash: string) => ({
    "tool-1.0.0-linux-x64.tar.gz": archive,
    [name]: text(hash),
  });
  const ways: [string, (hash: string) => string][] = [
    ["SHA256SUMS", (hash) => `${hash}  tool-1.0.0-linux-x64.tar.gz\n`],
    ["tool_1.0.0_checksums.txt", (hash) => `${hash} *tool-1.0.0-linux-x64.tar.gz\n`],
    ["sha256.sum", (hash) => `${hash}  ./tool-1.0.0-linux-x64.tar.gz\r\n`],
    ["tool-1.0.0-linux-x64.tar.gz.sha256", (hash) => hash],
    ["tool-1.0.0-linux-x64.tar.gz.sha256", (hash) => `${hash.toUpperCase()}  another-name\n`],
    // Of the executable inside, as zellij does it.
    ["tool-1.0.0-linux-x64.sha256sum", (hash) => `${hash}  target/release/tool\n`],
  ];
  for (const [name, text] of ways) {
    const right = name.endsWith("sum") && name !== "sha256.sum" ? sha256(content) : sha256(archive);
    using good = new Build(single(name, text, right));
    assertEquals([name, (await good.pack()).code], [name, 0]);
    using bad = new Build(single(name, text, other));
    const { code, stderr } = await bad.pack();
    assertEquals([name, code], [name, 4]);
    assertStringIncludes(stderr, name);
  }
});

Deno.test("of several digest files all have to be right", async () => {
  const name = "tool-1.0.0-linux-x64", content = elf("x86_64");
  const right = `${sha256(content)}  ${name}\n`, wrong = `${"f".repeat(64)}  ${name}\n`;
  const files = [`${name}.sha256`, "SHA256SUMS"];
  for (const bad of [...files, undefined]) {
    const digests = files.map((file) => [file, file === bad ? wrong : right] as const);
    using build = new Build({ [name]: content, ...Object.fromEntries(digests) });
    const { code, stderr } = await build.pack();
    assertEquals([bad, code], [bad, bad === undefined ? 0 : 4]);
    if (bad !== undefined) assertStringIncludes(stderr, `is not what "${bad}" says`);
  }
});

Deno.test("URLs that every version will have are warned of, and how to change them", async () => {
  using build = new Build({ "mytool-linux-x64": elf("x86_64") });
  const pack = (...args: string[]) => build.pack("--version", "1.4.0", ...args);
  const same = await pack("--url", "https://example.com/mytool");
  assertEquals(same.code, 0);
  for (
    const part of [
      "every version will have the same URL, https://example.com/mytool/mytool-linux-x64",
      "--url https://example.com/mytool/1.4.0\n",
    ]
  ) assertStringIncludes(same.stderr, part);
  assertStringIncludes((await pack()).stderr, "the same URL, mytool-linux-x64");
  for (const base of ["https://example.com/mytool/1.4.0", "https://example.com/v1.4/"]) {
    assertEquals([base, (await pack("--url", base)).stderr], [base, ""]);
  }
  using named = new Build({ "mytool-1.4.0-linux-x64": elf("x86_64") });
  assertEquals((await named.pack("--url", "https://192.168.0.1/mytool")).stderr, "");
});

Deno.test("options that the files do not bear out are said, and it goes on", async () => {
  using build = new Build({ "tool-1.4-linux-x64": elf("x86_64"), "README.md": "read me" });
  const says = async (...args: string[]) => {
    const { code, stderr } = await build.pack(...args);
    assertEquals(code, 0, stderr);
    return stderr;
  };
  const right = ["--version", "1.4.0"];
  assertEquals(await says(...right, "--name", "tool", "--exclude", "*.md"), "");
  assertStringIncludes(
    await says("--version", "1.5.0"),
    "--version is 1.5.0, and the files are of 1.4",
  );
  assertStringIncludes(await says("--version", "1.40.0"), "--version is 1.40.0");
  assertStringIncludes(await says(...right, "--name", "other"), '--name is "other", which no file');
  assertStringIncludes(
    await says(...right, "--exclude", "*.rpm"),
    '--exclude "*.rpm" is the name of no',
  );
});

Deno.test("why a file is not used is said of each", async () => {
  using build = new Build({
    "tool-1.0.0-linux-x64.tar.gz": tarGz({ tool: elf("x86_64") }),
    "tool-1.0.0-linux-x64": elf("x86_64"),
    "helper-1.0.0-linux-x64": elf("x86_64", { body: "2" }),
  });
  const { code, stdout, stderr } = await build.pack("--executable", "tool");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, 'not used: "tool-1.0.0-linux-x64.tar.gz" has the same executable');
  assertStringIncludes(
    stdout,
    'not used: "helper-1.0.0-linux-x64" is not what the tool consists of',
  );
  using wrong = new Build({ ...LINUX, "tool-1.0.0-linux-arm64": elf("x86_64", { body: "2" }) });
  assertStringIncludes((await wrong.pack()).stdout, "tool-1.0.0-linux-arm64  refused, see below");
});

Deno.test("an empty folder, a folder that is not there and a folder to lint are named", async () => {
  using build = new Build({ "dist/.keep": "" });
  const empty = await build.run(["dist"]);
  assertEquals(empty.code, 2);
  assertStringIncludes(empty.stderr, `There is no file in "${build.path("dist")}"`);
  assertEquals(empty.stderr.includes("above"), false);
  const key = await build.run(["--new-key", build.path("nodir/x.key")]);
  assertEquals(key.code, 2);
  assertStringIncludes(key.stderr, `there is no folder "${build.path("nodir")}"`);
  const lint = await build.run(["--lint", "dist"]);
  assertEquals(lint.code, 2);
  assertStringIncludes(lint.stderr, "Give the manifest: --lint dist/release.json");
});
