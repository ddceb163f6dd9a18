/** What the usual programs make is accepted. */
import { assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { extractMember } from "../../src/archive/archive.ts";
import { archiveKind } from "../../src/archive/kinds.ts";
import { denoSystem } from "../../src/system/deno_system.ts";

const LONG = `tool-1.4.0/${"folder/".repeat(20)}tool`;
const MEMBERS = ["tool-1.4.0/tool", "tool-1.4.0/emp ty", "tool-1.4.0/tóol ✓", LONG] as const;

Deno.test("what GNU tar makes is accepted, in all its formats, plain and gzipped", async () => {
  await using release = makeRelease();
  for (const format of ["v7", "oldgnu", "gnu", "ustar", "posix"]) {
    for (const name of [`${format}.tar`, `${format}.tar.gz`, `${format}.tgz`]) {
      const pack = name.endsWith("z") ? ["-z"] : [];
      // The oldest form cannot hold the long name.
      const leave = format === "v7" ? ["--exclude=folder"] : [];
      const args = [...leave, `--format=${format}`, ...pack, "-cf", name, "tool-1.4.0"];
      await release.run("tar", args);
      await release.check(name, format === "v7" ? MEMBERS.slice(0, 3) : MEMBERS);
    }
  }
});

Deno.test("what bsdtar makes is accepted, on macOS and Windows the usual tar", async () => {
  await using release = makeRelease();
  for (const format of ["pax", "ustar", "gnutar", "zip"]) {
    const name = format === "zip" ? "bsd.zip" : `bsd-${format}.tar`;
    await release.run("bsdtar", ["--format", format, "-cf", name, "tool-1.4.0"]);
    await release.check(name, MEMBERS);
  }
});

Deno.test("a tar file of the current folder is accepted, with ./ before every name", async () => {
  await using release = makeRelease();
  await release.run("tar", ["-C", "tool-1.4.0", "-czf", "here.tar.gz", "."]);
  await release.check("here.tar.gz", ["tool"], "tool-1.4.0");
});

Deno.test("what zip makes is accepted: to a file, to a pipe, stored, with links", async () => {
  await using release = makeRelease();
  const ways = {
    file: ["-q", "-r", "file.zip", "tool-1.4.0"],
    stored: ["-q", "-0", "-r", "stored.zip", "tool-1.4.0"],
    links: ["-q", "-y", "-r", "links.zip", "tool-1.4.0"],
    bare: ["-q", "-X", "-D", "-r", "bare.zip", "tool-1.4.0"],
  };
  for (const [name, args] of Object.entries(ways)) {
    await release.run("zip", args);
    await release.check(`${name}.zip`, MEMBERS);
  }
  await release.run("sh", ["-c", "zip -q -r - tool-1.4.0 | cat > pipe.zip"]);
  await release.check("pipe.zip", MEMBERS);
  await release.run("zip", ["-q", "-d", "file.zip", "tool-1.4.0/emp ty"]);
  await release.check("file.zip", MEMBERS.filter((name) => !name.includes("emp ty")));
});

Deno.test("what gzip makes is accepted: of a file, of a pipe, at any level", async () => {
  await using release = makeRelease();
  for (const level of ["-1", "-9"]) {
    await release.run("gzip", ["-f", "-k", level, "tool-1.4.0/tool"]);
    await release.check("tool-1.4.0/tool.gz", ["tool"], "tool-1.4.0");
  }
  await release.run("sh", ["-c", "gzip < tool-1.4.0/tool > pipe.gz"]);
  await release.check("pipe.gz", ["tool"], "tool-1.4.0");
});

interface Release extends AsyncDisposable {
  /** Throws when the program is not there or fails. */
  run(program: string, args: string[]): Promise<void>;
  /** Unpacks each member and compares it with the file in `folder`. */
  check(archive: string, members: readonly string[], folder?: string): Promise<void>;
}

/** A folder as release tools pack it. */
function makeRelease(): Release {
  const root = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  for (const [index, member] of MEMBERS.entries()) {
    Deno.mkdirSync(dirname(join(root, member)), { recursive: true });
    const content = crypto.getRandomValues(new Uint8Array(member.includes("emp ty") ? 0 : 60_000));
    Deno.writeFileSync(join(root, member), content);
    Deno.utimeSync(join(root, member), 0, 1_700_000_000 + index / 3);
  }
  Deno.writeTextFileSync(join(root, "tool-1.4.0", "README.md"), "read me\n".repeat(9000));
  if (Deno.build.os !== "windows") {
    Deno.symlinkSync("tool", join(root, "tool-1.4.0", "link"));
    Deno.linkSync(join(root, "tool-1.4.0", "README.md"), join(root, "tool-1.4.0", "README"));
  }
  return {
    async run(program, args) {
      const { success, stderr } = await new Deno.Command(program, { args, cwd: root }).output();
      assertEquals(success, true, new TextDecoder().decode(stderr));
    },
    async check(archive, members, folder = "") {
      for (const member of members) {
        const output = join(root, "output");
        {
          using out = Deno.openSync(output, { write: true, create: true, truncate: true });
          const options = { fs: denoSystem.fs, limit: 60_000 };
          await extractMember(join(root, archive), archiveKind(archive)!, member, out, options);
        }
        const original = Deno.readFileSync(join(root, folder, member));
        assertEquals(Deno.readFileSync(output), original, `${member} in ${archive}`);
      }
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}
