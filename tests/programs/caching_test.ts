/**
 * The addresses and headers of MILLION.md, with a real nginx as the origin and another one as the
 * caching proxy in front of it.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";
import { fetchSigned } from "../../src/release/signed_document.ts";
import { blocksOf } from "../support/pages.ts";
import { manifestFor, sha256 } from "../support/shim.ts";
import { createSigner } from "../support/signer.ts";
import { ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const CHECKS = 1_000;
const SHIMS = 5;

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

/** One nginx in the foreground, with these `server` and `http` lines; ends with its scope. */
async function nginx(folder: string, port: number, http: string) {
  Deno.mkdirSync(folder, { recursive: true });
  const config = join(folder, "nginx.conf");
  Deno.writeTextFileSync(
    config,
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
${Deno.uid() === 0 ? "user root;" : ""}
events { worker_connections 2048; }
http {
  access_log ${folder}/access.log;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
${http}
}
`,
  );
  const child = new Deno.Command("nginx", { args: ["-c", config], stdout: "null" }).spawn();
  for (let tries = 0;; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch (error) {
      if (tries > 200) throw error;
      await denoSystem.clock.delay(50);
    }
  }
  return {
    /** Paths that were asked for. */
    asked: () =>
      [...Deno.readTextFileSync(join(folder, "access.log")).matchAll(/"GET (\S+) /g)]
        .map(([, path]) => path!),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

Deno.test("a thousand checks and some real shims are one request to the origin, by the headers of MILLION.md", async () => {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-caching-" }));
  try {
    Deno.chmodSync(folder, 0o755);
    const root = join(folder, "mytool");
    Deno.mkdirSync(join(root, "2.0.0"), { recursive: true });
    const author = await createSigner();
    const content = encode(tool("2.0.0"));
    const url = `2.0.0/${sha256(content).slice(0, 16)}-tool`;
    const manifest = encode(
      JSON.stringify(manifestFor([{ target: "tool", content, entry: { url } }])),
    );
    Deno.writeFileSync(join(root, url), content);
    Deno.writeFileSync(join(root, "release.json"), manifest);
    Deno.writeFileSync(join(root, "release.json.minisig"), await author.sign(manifest));

    const blocks = blocksOf(join(".github", "MILLION.md")).filter(({ language }) =>
      language === "nginx"
    );
    const [originPort, proxyPort] = [freePort(), freePort()];
    const fill = (text: string) =>
      text.replaceAll("ORIGIN_PORT", String(originPort)).replaceAll("PROXY_PORT", String(proxyPort))
        .replaceAll("/srv", folder).replaceAll("/var/cache/nginx", join(folder, "cache"));
    await using origin = await nginx(join(folder, "o"), originPort, fill(blocks[0]!.text));
    await using _proxy = await nginx(join(folder, "p"), proxyPort, fill(blocks[1]!.text));

    const location = `http://127.0.0.1:${proxyPort}/mytool/release.json`;
    const signal = new AbortController().signal;
    for (let done = 0; done < CHECKS; done += 50) {
      await Promise.all(Array.from({ length: 50 }, async () => {
        const options = { system: denoSystem, allowHttp: false, signal };
        const { bytes } = await fetchSigned(location, [author.publicKey], options);
        assertEquals(bytes.length, manifest.length);
      }));
    }
    for (let shim = 0; shim < SHIMS; shim++) {
      await using it = new ToolFolder();
      it.configure({ manifest: location, publicKeys: [author.publicKey] });
      assertEquals((await it.run("--check", "--max-age", "24h")).code, 10);
      const { code, stderr } = await it.run();
      assertEquals([code, await it.says()], [0, "tool 2.0.0"], stderr);
    }
    const asked = origin.asked();
    const once = ["/mytool/release.json", "/mytool/release.json.minisig", `/mytool/${url}`];
    assertEquals(asked.toSorted(), once.toSorted(), "one request for each document and file");

    const headers = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${originPort}/mytool/${path}`);
      await response.body?.cancel();
      return response.headers.get("cache-control") ?? "";
    };
    assertEquals(await headers("release.json"), "public, max-age=300");
    assertEquals(await headers("release.json.minisig"), "public, max-age=300");
    assert((await headers(url)).includes("immutable"));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
