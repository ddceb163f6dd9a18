/** A release of real Windows executables, served on loopback: Windows programs can reach that. */
import { createHash } from "node:crypto";
import { TARGET } from "./bundle.ts";
import { type CachedProgram, cachedProgram } from "./bed.ts";

/** A server that ends with its scope. */
export interface WindowsRelease extends AsyncDisposable {
  /** URL of the release manifest. */
  readonly manifest: string;
  /** First byte of each range that was asked for. */
  readonly ranges: number[];
  /** From now on, or until now, a download stops half way and hangs there. */
  hang(now: boolean): void;
}

/** Serves one version: target names, and the programs that they become. */
export function serveWindowsRelease(
  version: string,
  programs: Readonly<Record<string, CachedProgram>>,
): WindowsRelease {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>();
  const files = Object.entries(programs).map(([target, program]) => {
    const content = Deno.readFileSync(cachedProgram(program));
    contents.set(`/${target}`, content);
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { target, url: target, size: content.length, sha256 };
  });
  const manifest = { schema: 1, name: "tool", version, platforms: { [TARGET]: { files } } };
  const ranges: number[] = [];
  let hanging = false;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/release.json") return Response.json(manifest);
    const content = contents.get(pathname);
    if (!content) return new Response("not here", { status: 404 });
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
    if (start > 0) ranges.push(start);
    const rest = content.subarray(start);
    return new Response(hanging ? halfOf(rest) : rest, {
      status: start > 0 ? 206 : 200,
      headers: {
        etag: `"${version}"`,
        "content-length": String(rest.length),
        ...(start > 0 && {
          "content-range": `bytes ${start}-${content.length - 1}/${content.length}`,
        }),
      },
    });
  });
  return {
    manifest: `http://127.0.0.1:${server.addr.port}/release.json`,
    ranges,
    hang: (now) => hanging = now,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function halfOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(bytes.slice(0, bytes.length / 2)),
  });
}
