/** Builds the small programs of `.ci/peers/` with the libraries that they use. */
import { dirname, fromFileUrl, join, resolve } from "@std/path";
import { runProgram } from "./run_program.ts";

const PROGRAMS = join(dirname(fromFileUrl(import.meta.url)), "peers");

/** Where a checkout of each lies in the folder: Go finds its own there. */
const CHECKOUTS = {
  "go-update": "src/github.com/inconshreveable/go-update",
  "minio/selfupdate": "src/github.com/minio/selfupdate",
  "self-replace": "src/github.com/mitsuhiko/self-replace",
} as const;

/** A program that replaces an executable by means of one library. */
export interface Peer {
  readonly path: string;
  /** The library and its commit. */
  readonly version: string;
}

/** Takes half a minute. Throws where something is missing. */
export async function buildPeers(
  folder: string,
  scratch: string,
): Promise<Record<keyof typeof CHECKOUTS, Peer>> {
  const root = resolve(folder);
  const version = async (name: keyof typeof CHECKOUTS) => {
    const args = ["-C", join(root, CHECKOUTS[name]), "rev-parse", "--short=8", "HEAD"];
    return `${name} ${(await runProgram("git", args)).trim()}`;
  };
  return {
    "go-update": {
      path: await buildGo(root, "go_update", scratch),
      version: await version("go-update"),
    },
    "minio/selfupdate": {
      path: await buildGo(root, "minio_selfupdate", scratch),
      version: await version("minio/selfupdate"),
    },
    "self-replace": {
      path: await buildRust(root, scratch),
      version: await version("self-replace"),
    },
  };
}

/** Without modules, so that nothing is looked for on the network. */
async function buildGo(root: string, name: string, scratch: string): Promise<string> {
  const output = join(scratch, name);
  const env = { GO111MODULE: "off", GOPATH: `${root}:${debian(root, "gocode")}` };
  await runProgram("go", ["build", "-o", output, join(PROGRAMS, `${name}.go`)], { env });
  return output;
}

/** The library by a manifest of ours: its own asks for newer packages than Debian's. */
async function buildRust(root: string, scratch: string): Promise<string> {
  const [own, library] = [join(scratch, "rust"), join(scratch, "rust", "library")];
  Deno.mkdirSync(library, { recursive: true });
  Deno.writeTextFileSync(
    join(library, "Cargo.toml"),
    `package = { name = "self-replace", version = "1.5.0", edition = "2018" }
lib = { path = ${JSON.stringify(join(root, CHECKOUTS["self-replace"], "src", "lib.rs"))} }
dependencies = { tempfile = "3" }
`,
  );
  Deno.writeTextFileSync(
    join(own, "Cargo.toml"),
    `package = { name = "peer", version = "0.0.0", edition = "2021" }
bin = [{ name = "self_replace", path = ${JSON.stringify(join(PROGRAMS, "self_replace.rs"))} }]
dependencies = { self-replace = { path = "library" }, sha2 = "0.10", tempfile = "3" }
`,
  );
  const packages = JSON.stringify(debian(root, "cargo/registry"));
  const sources = ['source.crates-io.replace-with="debian"', `source.debian.directory=${packages}`];
  const settings = sources.flatMap((setting) => ["--config", setting]);
  await runProgram("cargo", ["build", "--release", "--offline", ...settings], { cwd: own });
  return join(own, "target", "release", "self_replace");
}

/** Debian's sources: unpacked in the folder, or else where the packages put them. */
function debian(root: string, name: string): string {
  const unpacked = join(root, "usr", "share", name);
  try {
    Deno.statSync(unpacked);
    return unpacked;
  } catch {
    return join("/usr/share", name);
  }
}
