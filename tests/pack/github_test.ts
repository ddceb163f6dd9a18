/** A release that is published on GitHub, of which a server on loopback plays the part. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { serve } from "../support/shim.ts";
import { Build, elf, encode, macho, pe, sha256, tarGz, zipped } from "./bed.ts";

interface Asset {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly digest?: string;
}

/** The API and the downloads. `seen`: path and `Authorization` of each request. */
function github(tag: string, assets: Record<string, Asset>) {
  const seen: [string, string | null][] = [];
  const answer = (request: Request) => {
    const { pathname, origin } = new URL(request.url);
    seen.push([pathname, request.headers.get("authorization")]);
    const prefix = `/me/mytool/releases/download/${tag}/`;
    const name = pathname.startsWith(prefix) ? pathname.slice(prefix.length) : undefined;
    if (name !== undefined) return new Response(assets[decodeURIComponent(name)]!.content);
    return Response.json({
      tag_name: tag,
      html_url: `${origin}/me/mytool/releases/tag/${tag}`,
      draft: false,
      prerelease: false,
      published_at: "2026-11-01T12:00:00Z",
      assets: Object.entries(assets).map(([name, { content, digest }]) => ({
        name,
        size: content.length,
        digest: digest ?? null,
        browser_download_url: `${origin}/me/mytool/releases/download/${tag}/${
          encodeURIComponent(name)
        }`,
      })),
    });
  };
  const api = "/repos/me/mytool/releases";
  const downloads = Object.keys(assets).map((name) =>
    `/me/mytool/releases/download/${tag}/${encodeURIComponent(name)}`
  );
  const paths = [`${api}/tags/${encodeURIComponent(tag)}`, `${api}/latest`, ...downloads];
  return { server: serve(Object.fromEntries(paths.map((path) => [path, answer]))), seen };
}

const linux = tarGz({ "mytool": elf("x86_64") });
const ASSETS: Record<string, Asset> = {
  "mytool-linux-x64.tar.gz": { content: linux, digest: `sha256:${sha256(linux)}` },
  "mytool-macos-arm64.tar.gz": { content: tarGz({ "mytool": macho("aarch64") }) },
  "mytool-windows-x64.zip": { content: zipped({ "mytool.exe": pe("x86_64") }) },
  "mytool-linux-x64.tar.gz.sha256": { content: encode(`${sha256(linux)}\n`) },
  "mytool_1.4.0_amd64.deb": { content: encode("!<arch>") },
  "mytool-freebsd-x64.tar.gz": { content: encode("never asked for") },
};

Deno.test("a published release becomes a manifest with its absolute URLs; nothing needless is fetched", async () => {
  const { server, seen } = github("v1.4.0", ASSETS);
  await using _ = server;
  using build = new Build();
  const args = ["--github", "me/mytool@v1.4.0", "--github-api", server.url];
  const env = (name: string) => name === "GH_TOKEN" ? "secret" : undefined;
  const { code, stdout, stderr } = await build.run(args, { env });
  assertEquals([code, stderr], [0, ""]);
  const { name, version, published, notes, platforms } = build.manifest();
  assertEquals([name, version, published], ["mytool", "1.4.0", "2026-11-01T12:00:00Z"]);
  assertEquals(notes, `${server.url}/me/mytool/releases/tag/v1.4.0`);
  assertEquals(
    platforms["x86_64-unknown-linux-gnu"].files[0].url,
    `${server.url}/me/mytool/releases/download/v1.4.0/mytool-linux-x64.tar.gz`,
  );
  assertEquals(Object.keys(platforms).length, 3);
  assertStringIncludes(stdout, "mytool_1.4.0_amd64.deb");
  assertEquals(seen.some(([path]) => /freebsd|\.deb$/.test(path)), false);
  assertEquals(seen[0], ["/repos/me/mytool/releases/tags/v1.4.0", "Bearer secret"]);
  // Without a tag: the latest.
  const latest = await build.run(["--github", "me/mytool", "--github-api", server.url]);
  assertEquals(latest.code, 0, latest.stderr);
});

Deno.test("a token goes to the API only", async () => {
  const { server: api } = github("v1.4.0", {});
  await using _ = api;
  const { server: store, seen } = github("v1.4.0", ASSETS);
  await using __ = store;
  // The listing of one server, with downloads that lie on another.
  const listing = serve({
    "/repos/me/mytool/releases/latest": async () =>
      new Response((await fetch(`${store.url}/repos/me/mytool/releases/latest`)).body),
  });
  await using ___ = listing;
  using build = new Build();
  const env = (name: string) => name === "GITHUB_TOKEN" ? "secret" : undefined;
  const { code } = await build.run(["--github", "me/mytool", "--github-api", listing.url], { env });
  assertEquals(code, 0);
  assertEquals(seen.length > 3 && seen.every(([, authorization]) => authorization === null), true);
});

Deno.test("tags of several fashions give the version; one that gives none is refused with what to add", async () => {
  for (const tag of ["1.4.0", "mytool-v1.4.0", "mytool@1.4.0", "cli/v1.4.0"]) {
    const { server } = github(tag, ASSETS);
    await using _ = server;
    using build = new Build();
    const { code, stderr } = await build.run([
      "--github",
      `me/mytool@${tag}`,
      "--github-api",
      server.url,
    ]);
    assertEquals([tag, code, stderr], [tag, 0, ""]);
    assertEquals(build.manifest().version, "1.4.0");
  }
  const { server } = github("v1.4", ASSETS);
  await using _ = server;
  using build = new Build();
  const args = ["--github", "me/mytool@v1.4", "--github-api", server.url];
  const refused = await build.run(args);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "--version 1.4.0");
});

Deno.test("what GitHub says of a file is compared with the file", async () => {
  const assets = {
    ...ASSETS,
    "mytool-linux-x64.tar.gz": { content: linux, digest: `sha256:${"0".repeat(64)}` },
  };
  const { server } = github("v1.4.0", assets);
  await using _ = server;
  using build = new Build();
  const args = ["--github", "me/mytool@v1.4.0", "--github-api", server.url];
  const { code, stderr } = await build.run(args);
  assertEquals(code, 4);
  assertStringIncludes(stderr, '"mytool-linux-x64.tar.gz" is not what "GitHub" says');
});

Deno.test("a release that is not there, and an answer that is none", async () => {
  const server = serve({ "/repos/me/odd/releases/latest": () => Response.json({ message: "x" }) });
  await using _ = server;
  using build = new Build();
  const missing = await build.run(["--github", "me/mytool@v9", "--github-api", server.url]);
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, "GitHub knows no published release me/mytool@v9");
  const odd = await build.run(["--github", "me/odd", "--github-api", server.url]);
  assertEquals(odd.code, 3);
  assertStringIncludes(odd.stderr, "is no release of GitHub");
});
