/** An update over a line of 50 Mbit/s: with a patch, and without one. */
import { join } from "@std/path";
import { makePatch } from "../src/patch/make_patch.ts";
import { denoSystem } from "../src/system/deno_system.ts";
import type { Row } from "./bench_figures.ts";
import { type Bench, describe, material, type Release } from "./bench_material.ts";
import { prepareMemory, timed } from "./bench_process.ts";

const BYTES_PER_SECOND = 50e6 / 8;
const MOST = 0.25;

/** One row; the server that paces is this process, which has nothing else to do then. */
export async function pacedUpdate({ folder, shim }: Bench): Promise<Row> {
  const { large, oldLarge } = await material();
  const path = join(folder, "paced.patch");
  const made = await makePatch(oldLarge, large.path, path, {
    fs: denoSystem.fs,
    fullSize: large.size,
  });
  if ("refused" in made) throw new Error(made.refused);
  const { from, size, sha256, format } = made;
  const patch = { from, url: "patch", size, sha256, format };
  const time = async (patches: readonly unknown[]) => {
    const installed = Deno.makeTempDirSync({ dir: folder });
    Deno.copyFileSync(oldLarge, join(installed, "deno"));
    await using server = servePaced(large, path, patches);
    await prepareMemory();
    const ms = await timed(shim, [
      ...["--install-dir", installed, "--manifest", server.manifest, "--quiet", "--force"],
    ]);
    if (describe(join(installed, "deno")).sha256 !== large.sha256) throw new Error("not updated");
    Deno.removeSync(installed, { recursive: true });
    return ms;
  };
  const [whole, patched] = [await time([]), await time([patch])];
  Deno.removeSync(path);
  return {
    what: "update of 95 MB at 50 Mbit/s with a patch",
    ours: `${(patched / 1000).toFixed(1)} s`,
    beside: `${(whole / 1000).toFixed(1)} s without (${(patched / whole).toFixed(2)} times)`,
    target: `at most ${MOST} times`,
    met: patched <= whole * MOST,
  };
}

function servePaced({ path, size, sha256 }: Release, patch: string, patches: readonly unknown[]) {
  const files = [{ target: "deno", url: "whole", size, sha256, patches }];
  const platforms = { [Deno.build.target]: { files } };
  const manifest = { schema: 1, name: "bench", version: "2.9.6", platforms };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/release.json") return Response.json(manifest);
    const bytes = Deno.readFileSync(pathname === "/whole" ? path : patch);
    return new Response(paced(bytes), { headers: { "content-length": String(bytes.length) } });
  });
  return {
    manifest: `http://127.0.0.1:${server.addr.port}/release.json`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** As many bytes as may have come by now: what a late timer keeps back comes with the next piece. */
function paced(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const started = performance.now();
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= bytes.length) return controller.close();
      await new Promise((resolve) => setTimeout(resolve, 10));
      const due = Math.floor((performance.now() - started) / 1000 * BYTES_PER_SECOND);
      if (due > at) controller.enqueue(bytes.slice(at, due));
      at = Math.max(at, due);
    },
  });
}
