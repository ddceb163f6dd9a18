/** The main tool of the sweeps, in two versions, and a server that has the newer one. */
import { fromFileUrl, join } from "@std/path";
import { PATCH_FORMAT } from "../../src/patch/format.ts";
import { patchBetween } from "../support/patches.ts";
import {
  manifestFor,
  releaseRoutes,
  type Routes,
  serve,
  type Served,
  sha256,
  type TestServer,
} from "../support/shim.ts";
import { must } from "./process.ts";

/** The names of the set. */
export const NAMES = ["tool", "toolx"] as const;
/** The two versions, and one that fails its health check once it is installed. */
export const OLD = "1.0.0", NEW = "2.0.0", SICK = "3.0.0";

/** Bytes of each executable beyond its code. */
const PADDING = 60_000;
/** Bytes of one piece of a slow download. */
const PIECE = 1000;

/** The executables by version and name. */
export class Tools {
  private constructor(readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {}

  /** Compiles all. */
  static async make(scratch: string, padding = PADDING): Promise<Tools> {
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    const source = fromFileUrl(new URL("tool.c", import.meta.url));
    for (const version of [OLD, NEW, SICK]) {
      for (const name of NAMES) {
        const path = join(scratch, `${name}-${version}`);
        const define = {
          NAME: `"${name}"`,
          VERSION: `"${version}"`,
          PADDING: padding,
          SICK: version === SICK ? 1 : 0,
        };
        const flags = Object.entries(define).map(([key, value]) => `-D${key}=${value}`);
        await must("gcc", "-O1", ...flags, "-o", path, source);
        files.set(`${name}-${version}`, Deno.readFileSync(path));
      }
    }
    return new Tools(files);
  }

  /** The bytes of one executable. */
  get(name: string, version: string): Uint8Array<ArrayBuffer> {
    return this.files.get(`${name}-${version}`)!;
  }

  /** The set as a release. */
  release(version: string): Served[] {
    return NAMES.map((target) => ({ target, content: this.get(target, version) }));
  }

  /** The new set, by patches of the old one; below `/patched` the full files are not to be had. */
  #patched(): Routes {
    const patches = new Map(NAMES.map((name) => [
      `files/${name}.patch`,
      patchBetween(this.get(name, OLD), this.get(name, NEW)),
    ]));
    const release = this.release(NEW).map((file): Served => {
      const url = `files/${file.target}.patch`, old = this.get(file.target, OLD);
      const from = { size: old.length, sha256: sha256(old) };
      const { length: size } = patches.get(url)!;
      const patch = { from, url, size, sha256: sha256(patches.get(url)!), format: PATCH_FORMAT };
      return { ...file, entry: { patches: [patch] } };
    });
    const routes: Routes = {};
    for (const prefix of ["/patched", "/patchable"]) {
      routes[`${prefix}/release.json`] = () =>
        Response.json(manifestFor(release, { version: NEW }));
      for (const [url, bytes] of patches) {
        routes[`${prefix}/${url}`] = () => new Response(bytes.slice());
      }
    }
    for (const { target, content } of release) {
      routes[`/patchable/files/${target}`] = () => new Response(content.slice());
    }
    return routes;
  }

  /**
   * Serves `/old/release.json`, `/new/…`, `/slow/…` (the new one in pieces), `/sick/…`, `/patched/…`
   * (the new one, as patches only) and `/patchable/…` (as patches and as full files).
   */
  serve(): TestServer {
    const routes = this.#patched();
    const add = (prefix: string, version: string) => {
      const release = releaseRoutes(this.release(version), { version });
      for (const [path, answer] of Object.entries(release)) routes[`/${prefix}${path}`] = answer;
    };
    add("old", OLD);
    add("new", NEW);
    add("slow", NEW);
    add("sick", SICK);
    for (const name of NAMES) {
      routes[`/slow/files/${name}`] = () => new Response(inPieces(this.get(name, NEW)));
    }
    return serve(routes);
  }
}

/** In pieces that arrive one by one, so that each becomes a write of its own. */
function inPieces(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= bytes.length) return controller.close();
      await new Promise((resolve) => setTimeout(resolve, 1));
      controller.enqueue(bytes.slice(at, at += PIECE));
    },
  });
}
