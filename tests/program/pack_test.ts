/**
 * From what a build left to an updated tool: real executables of four platforms, in the layouts of
 * dist, GoReleaser, a plain folder and GitHub, packed and signed by the compiled maker, installed
 * and updated by the compiled shim.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { distManifest, goreleaserArtifacts } from "../pack/layouts.ts";
import { sha256, tarGz, zipped } from "../pack/bed.ts";
import { fetchExecutable } from "../support/esbuild.ts";
import { compiledPack, compiledShim, serve } from "../support/shim.ts";

const ignore = Deno.build.os !== "linux" || Deno.build.arch !== "x86_64";
const OLD = "0.28.1", NEW = "0.28.2";

/** esbuild's name of a platform, Rust's and Go's. */
const PLATFORMS = [
  ["linux-x64", "x86_64-unknown-linux-gnu", "linux_amd64"],
  ["darwin-arm64", "aarch64-apple-darwin", "darwin_arm64"],
  ["win32-x64", "x86_64-pc-windows-msvc", "windows_amd64"],
] as const;

type Files = Record<string, Uint8Array<ArrayBuffer>>;
type Executables = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

let fetched: Promise<{ old: Uint8Array; fresh: Executables }> | undefined;

function executables() {
  return fetched ??= (async () => {
    const folder = Deno.makeTempDirSync({ prefix: "updater-shim-pack-" });
    try {
      const fresh = new Map();
      for (const [name] of PLATFORMS) fresh.set(name, await fetchExecutable(folder, name, NEW));
      return { old: await fetchExecutable(folder, "linux-x64", OLD), fresh };
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  })();
}

const README = "# esbuild\n";
const text = (content: string) => new TextEncoder().encode(content);

/** A README before the executable, a folder around both but on Windows: as dist packs. */
function distFolder(fresh: Executables): Files {
  const archives: Record<string, string> = {};
  const files: Files = {};
  for (const [name, triple] of PLATFORMS) {
    const folder = `esbuild-${triple}`;
    const content = fresh.get(name)!;
    const file = triple.includes("windows") ? `${folder}.zip` : `${folder}.tar.gz`;
    files[file] = triple.includes("windows")
      ? zipped({ "README.md": README, "esbuild.exe": content })
      : tarGz({ [`${folder}/README.md`]: README, [`${folder}/esbuild`]: content });
    files[`${file}.sha256`] = text(`${sha256(files[file]!)} *${file}\n`);
    archives[file] = triple;
  }
  files["dist-manifest.json"] = text(distManifest("esbuild", NEW, ["esbuild"], archives));
  files["esbuild-installer.sh"] = text("#!/bin/sh\n");
  return files;
}

function goreleaserFolder(fresh: Executables): Files {
  const files: Files = {};
  for (const [name, , platform] of PLATFORMS) {
    const content = fresh.get(name)!;
    const stem = `esbuild_${NEW}_${platform}`;
    if (platform.startsWith("windows")) {
      files[`${stem}.zip`] = zipped({ "LICENSE": README, "esbuild.exe": content });
    } else files[`${stem}.tar.gz`] = tarGz({ "LICENSE": README, "esbuild": content });
  }
  const archives = Object.keys(files);
  const sums = archives.map((name) => `${sha256(files[name]!)}  ${name}\n`);
  files["checksums.txt"] = text(sums.join(""));
  files["artifacts.json"] = text(goreleaserArtifacts("esbuild", archives));
  const metadata = { project_name: "esbuild", version: NEW, date: "2026-11-01T12:00:00Z" };
  files["metadata.json"] = text(JSON.stringify(metadata));
  return files;
}

/** Executables as they are, with a digest beside each. */
function plainFolder(fresh: Executables): Files {
  const files: Files = {};
  for (const [name] of PLATFORMS) {
    const file = `esbuild-${NEW}-${name}${name.startsWith("win") ? ".exe" : ""}`;
    files[file] = fresh.get(name)!;
    files[`${file}.sha256`] = text(sha256(files[file]!));
  }
  return files;
}

/** A place for everything, and a server of `dist/`, the files of the build. */
class Workshop implements AsyncDisposable {
  readonly root: string = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  /** Paths that were asked for. */
  readonly requests: string[] = [];
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) => {
      try {
        const { pathname } = new URL(url);
        this.requests.push(pathname);
        return new Response(Deno.readFileSync(join(this.root, "dist", pathname.slice(1))));
      } catch {
        return new Response(null, { status: 404 });
      }
    },
  );

  constructor(files: Files) {
    Deno.mkdirSync(join(this.root, "dist"));
    for (const [name, content] of Object.entries(files)) {
      Deno.writeFileSync(join(this.root, "dist", name), content);
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async run(program: string, ...args: string[]) {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      cwd: this.root,
      stdin: "null",
      // What is found must not depend on this machine.
      env: { GH_TOKEN: "", GITHUB_TOKEN: "", SOURCE_DATE_EPOCH: "" },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    Deno.removeSync(this.root, { recursive: true });
  }
}

/** The whole way of an author and a user; `args` is what the author types. What the update asked for. */
async function fromBuildToUpdate(
  workshop: Workshop,
  args: readonly string[],
  manifest: string,
): Promise<readonly string[]> {
  const [pack, shim, { old }] = [await compiledPack(), await compiledShim(), await executables()];
  const key = await workshop.run(pack, "--new-key", "my.key");
  assertEquals(key.code, 0, key.stderr);
  const publicKey = /"publicKeys": \["(.+)"\]/.exec(key.stdout)![1]!;
  const packed = await workshop.run(pack, ...args, "--expires", "400d", "--sign", "my.key");
  // dist's file names have no version, and the server of this test has one place for all.
  const refusals = packed.stderr.replace(/^updater-shim-pack: warning: .*\n(?: {2}.*\n)*/, "");
  assertEquals([packed.code, refusals], [0, ""], packed.stdout);
  const checked = await workshop.run(pack, "--lint", manifest, "--public-key", publicKey);
  assertEquals([checked.code, checked.stderr], [0, ""]);
  assertStringIncludes(checked.stdout, "aarch64-apple-darwin         esbuild: right");

  // What is installed with a shim beside it is updated.
  workshop.requests.length = 0;
  const folder = join(workshop.root, "installed");
  Deno.mkdirSync(folder);
  Deno.writeFileSync(join(folder, "esbuild"), old, { mode: 0o755 });
  Deno.copyFileSync(shim, join(folder, "updater-shim"));
  Deno.writeTextFileSync(
    join(folder, "updater-shim.json"),
    JSON.stringify({ name: "esbuild", manifest, publicKeys: [publicKey] }),
  );
  const updated = await workshop.run(join(folder, "updater-shim"));
  const whileUpdating = [...workshop.requests];
  assertEquals(updated.code, 0, updated.stderr);
  assertStringIncludes(updated.stderr, `Updated ${OLD} -> ${NEW}`);
  assertEquals((await workshop.run(join(folder, "esbuild"), "--version")).stdout, `${NEW}\n`);

  // And into an empty folder it is installed.
  const empty = join(workshop.root, "fresh");
  Deno.mkdirSync(empty);
  const options = ["--manifest", manifest, "--public-key", publicKey];
  const installed = await workshop.run(shim, "--install-dir", empty, ...options);
  assertEquals(installed.code, 0, installed.stderr);
  assertEquals((await workshop.run(join(empty, "esbuild"), "--version")).stdout, `${NEW}\n`);
  return whileUpdating;
}

const LAYOUTS: Record<string, (fresh: Executables) => Files> = {
  dist: distFolder,
  GoReleaser: goreleaserFolder,
  "a plain folder": plainFolder,
};

for (const [name, make] of Object.entries(LAYOUTS)) {
  Deno.test({
    name: `from the output of ${name} to an updated tool`,
    ignore,
    async fn() {
      const { fresh } = await executables();
      await using workshop = new Workshop(make(fresh));
      const { url } = workshop;
      await fromBuildToUpdate(workshop, ["dist", "--url", url], `${url}/release.json`);
    },
  });
}

Deno.test({
  name:
    "with the older release at hand the compiled maker makes a small patch, and the update fetches nothing else",
  ignore,
  async fn() {
    const { old, fresh } = await executables();
    await using workshop = new Workshop(plainFolder(fresh));
    Deno.mkdirSync(join(workshop.root, "old"));
    Deno.writeFileSync(join(workshop.root, "old", `esbuild-${OLD}-linux-x64`), old);
    const args = ["dist", "--url", workshop.url, "--previous", "old"];
    const requests = await fromBuildToUpdate(workshop, args, `${workshop.url}/release.json`);
    const manifest = Deno.readTextFileSync(join(workshop.root, "dist", "release.json"));
    const [file] = JSON.parse(manifest).platforms["x86_64-unknown-linux-gnu"].files;
    const [patch] = file.patches;
    assertEquals(patch.from.sha256, sha256(old));
    // Less than a tenth of what the same executable takes packed.
    assertEquals(patch.size < file.size / 15, true, `${patch.size} of ${file.size}`);
    const path = new URL(patch.url).pathname;
    assertEquals(requests, ["/release.json", "/release.json.minisig", path]);
  },
});

Deno.test({
  name: "Ctrl-C while patches are made ends it with 130, writes nothing and leaves nothing",
  ignore,
  async fn() {
    const { old, fresh } = await executables();
    await using workshop = new Workshop(plainFolder(fresh));
    for (const name of ["old", "scratch"]) Deno.mkdirSync(join(workshop.root, name));
    Deno.writeFileSync(join(workshop.root, "old", `esbuild-${OLD}-linux-x64`), old);
    const before = [...Deno.readDirSync(join(workshop.root, "dist"))].map(({ name }) => name);
    await using child = new Deno.Command(await compiledPack(), {
      args: ["dist", "--previous", "old"],
      cwd: workshop.root,
      env: { TMPDIR: join(workshop.root, "scratch") },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    // The list of the files comes right before the patches.
    for await (const _ of child.stdout) {
      child.kill("SIGINT");
      break;
    }
    const stderr = new TextDecoder().decode(await new Response(child.stderr).bytes());
    assertEquals((await child.status).code, 130, stderr);
    assertStringIncludes(stderr, "Interrupted; nothing was written");
    const after = [...Deno.readDirSync(join(workshop.root, "dist"))].map(({ name }) => name);
    assertEquals(after.sort(), before.sort());
    assertEquals([...Deno.readDirSync(join(workshop.root, "scratch"))], []);
  },
});

Deno.test({
  name: "from a release on GitHub to an updated tool",
  ignore,
  async fn() {
    const { fresh } = await executables();
    const files = plainFolder(fresh);
    await using workshop = new Workshop(files);
    const assets = Object.entries(files).map(([name, content]) => ({
      name,
      size: content.length,
      digest: `sha256:${sha256(content)}`,
      browser_download_url: `${workshop.url}/${name}`,
    }));
    await using api = serve({
      "/repos/evanw/esbuild/releases/tags/v0.28.2": () =>
        Response.json({
          tag_name: "v0.28.2",
          html_url: "https://github.com/evanw/esbuild/releases/tag/v0.28.2",
          published_at: "2026-11-01T12:00:00Z",
          assets,
        }),
    });
    const args = ["--github", "evanw/esbuild@v0.28.2", "--github-api", api.url];
    const output = ["--output", "dist/release.json"];
    await fromBuildToUpdate(workshop, [...args, ...output], `${workshop.url}/release.json`);
  },
});
