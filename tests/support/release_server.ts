/** Serves one release on loopback: its archive, with ranges, and its manifest. */
import { MEMBER, type Release } from "./esbuild.ts";

/** A server that ends with its scope. */
export interface ReleaseServer extends AsyncDisposable {
  /** URL of the release manifest. */
  readonly manifest: string;
  /** First byte of every range that was asked for. */
  readonly ranges: number[];
  /** How fast it sends from now on, about; at first as fast as it can. */
  throttle(bytesPerSecond: number): void;
}

/** The manifest of a release, as its authors would publish it. */
export function manifestOf(release: Release): string {
  return JSON.stringify({
    schema: 1,
    name: "esbuild",
    version: release.version,
    published: "2026-11-01T12:00:00Z",
    platforms: {
      [Deno.build.target]: {
        files: [{
          target: "esbuild",
          url: `esbuild-${release.version}.tar.gz`,
          size: release.size,
          sha256: release.sha256,
          member: MEMBER,
          executable: { size: release.executableSize, sha256: release.executableSha256 },
          mode: "755",
        }],
      },
    },
  });
}

/** Starts the server on a free port of 127.0.0.1. */
export function serveRelease(release: Release): ReleaseServer {
  const archive = Deno.readFileSync(release.archive);
  const ranges: number[] = [];
  let pace = Infinity;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    if (new URL(request.url).pathname === "/release.json") return new Response(manifestOf(release));
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
    if (start > 0) ranges.push(start);
    const rest = archive.subarray(start);
    return new Response(pace === Infinity ? rest : slowly(rest, pace), {
      status: start > 0 ? 206 : 200,
      headers: {
        etag: `"${release.sha256}"`,
        "content-length": String(rest.length),
        ...(start > 0 && {
          "content-range": `bytes ${start}-${archive.length - 1}/${archive.length}`,
        }),
      },
    });
  });
  return {
    manifest: `http://127.0.0.1:${server.addr.port}/release.json`,
    ranges,
    throttle: (bytesPerSecond) => pace = bytesPerSecond,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function slowly(bytes: Uint8Array, bytesPerSecond: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= bytes.length) return controller.close();
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.enqueue(bytes.slice(at, at += Math.ceil(bytesPerSecond / 50)));
    },
  });
}
