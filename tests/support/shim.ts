/** The compiled shim, and what the tests need around it: an install dir, a server, a run. */
import { createHash } from "node:crypto";
import { dirname, fromFileUrl, join } from "@std/path";
import { compileShim } from "../../.ci/compile.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const PREFIX = "updater-shim-";

/**
 * The executable, compiled once for a state of the sources: kept in `dist/` under the sources'
 * digest, so that every test file of a run uses the same one.
 */
export function compiledShim(): Promise<string> {
  return compiled("shim");
}

/** The same of `updater-shim-pack`. */
export function compiledPack(): Promise<string> {
  return compiled("pack");
}

async function compiled(program: "shim" | "pack"): Promise<string> {
  const folder = join(ROOT, "dist");
  const suffix = Deno.build.os === "windows" ? ".exe" : "";
  const kind = program === "shim" ? "" : "pack-";
  // The shim's own name says which tool it is for: only the folder's says of which sources.
  const home = join(folder, `${PREFIX}${kind}of-${sourceDigest(program)}`);
  const name = program === "shim" ? "updater-shim" : "updater-shim-pack";
  const output = join(home, `${name}${suffix}`);
  try {
    Deno.statSync(output);
    return output;
  } catch {
    // Not yet made; two test files at once make the same one, and the rename is atomic.
  }
  const fresh = join(folder, `${PREFIX}${crypto.randomUUID()}${suffix}`);
  await compileShim({ output: fresh, program });
  Deno.mkdirSync(home, { recursive: true });
  Deno.renameSync(fresh, output);
  removeOld(folder);
  return output;
}

/** They have 90 MB each. Whatever is younger than a day may be in use by other tests. */
function removeOld(folder: string): void {
  for (const { name } of Deno.readDirSync(folder)) {
    const { mtime } = Deno.statSync(join(folder, name));
    const old = mtime !== null && Date.now() - mtime.getTime() > 24 * 3600 * 1000;
    if (name.startsWith(PREFIX) && old) Deno.removeSync(join(folder, name), { recursive: true });
  }
}

function sourceDigest(program: "shim" | "pack"): string {
  const build = ["compile", "import_map", "pinned_runtime"].map((name) => `.ci/${name}.ts`);
  const files = ["deno.json", "deno.lock", "main.ts", ...build, ...filesBelow("src")]
    // Nothing of the maker of releases is in the shim.
    .filter((file) => program === "pack" || !file.startsWith("src/pack/"));
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(Deno.readFileSync(join(ROOT, file)));
  return hash.digest("hex").slice(0, 16);
}

/** With every room of it: a stale executable would be tested otherwise. */
function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? filesBelow(path) : [path];
  }).sort();
}

/** How a run of the shim ended. */
export interface ShimRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the compiled shim on an install dir to its end. */
export async function runShim(folder: string, ...args: string[]): Promise<ShimRun> {
  const shim = await compiledShim();
  const { code, stdout, stderr } = await new Deno.Command(shim, {
    args: ["--install-dir", folder, ...args],
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A file as a manifest names it. */
export interface Served {
  readonly target: string;
  readonly content: Uint8Array;
  /** Overrides of the manifest's entry. */
  readonly entry?: Record<string, unknown>;
}

/** A release manifest with the right sizes and digests, plus whatever `change` makes wrong. */
export function manifestFor(
  files: readonly Served[],
  change: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    schema: 1,
    name: "tool",
    version: "2.0.0",
    platforms: {
      [Deno.build.target]: {
        files: files.map(({ target, content, entry }) => ({
          target,
          url: `files/${target}`,
          size: content.length,
          sha256: sha256(content),
          ...entry,
        })),
      },
    },
    ...change,
  };
}

/** Lower-case hex. */
export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Answers for a path; anything else is a 404. */
export type Routes = Record<string, (request: Request) => Response | Promise<Response>>;

/** A server on loopback that ends with its scope, and counts its requests. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: string[];
}

/** Starts a server on a free port. */
export function serve(routes: Routes): TestServer {
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname);
    return routes[pathname]?.(request) ?? new Response("not here", { status: 404 });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Routes of a release whose files are what the manifest says. */
export function releaseRoutes(files: readonly Served[], change?: Record<string, unknown>): Routes {
  const routes: Routes = {
    "/release.json": () => Response.json(manifestFor(files, change)),
  };
  for (const { target, content } of files) {
    routes[`/files/${target}`] = () => new Response(content.slice());
  }
  return routes;
}
