/** Whom the compiled shim trusts: what `.ci/compile.ts` embeds, tried on a real TLS server. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { makeCertificates } from "../support/certificates.ts";
import { compiledShim } from "../support/shim.ts";

const RELEASE = { schema: 1, name: "tool", version: "2.0.0", platforms: {} };

Deno.test({
  name: "an authority in the system's store is trusted, and one that is in no store is not",
  // Elsewhere the store is not a file that a test could choose.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = Deno.makeTempDirSync();
    await using server = await serveRelease(folder);
    try {
      const known = await check(folder, server.url, { SSL_CERT_FILE: join(folder, "ca.pem") });
      assertEquals(known.code, 2, known.stderr);
      assertStringIncludes(known.stderr, Deno.build.target); // it read the document: no such platform
      const unknown = await check(folder, server.url, {});
      assertEquals(unknown.code, 3, unknown.stderr);
      assertStringIncludes(unknown.stderr, "UnknownIssuer");
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "a user's own choice of the certificate stores comes before the embedded one",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = Deno.makeTempDirSync();
    await using server = await serveRelease(folder);
    try {
      const { code, stderr } = await check(folder, server.url, {
        SSL_CERT_FILE: join(folder, "ca.pem"),
        DENO_TLS_CA_STORE: "mozilla",
      });
      assertEquals(code, 3, stderr);
      assertStringIncludes(stderr, "UnknownIssuer");
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

/** `--check` with nothing in the environment but what is given here. */
async function check(folder: string, url: string, env: Record<string, string>) {
  const { code, stderr } = await new Deno.Command(await compiledShim(), {
    args: ["--check", "--install-dir", folder, "--manifest", `${url}/release.json`],
    env,
    clearEnv: true,
    stdin: "null",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

/** A server whose certificate is by an authority made for this test: `ca.pem` in the folder. */
async function serveRelease(folder: string): Promise<AsyncDisposable & { url: string }> {
  const { ca, cert, key } = await makeCertificates();
  Deno.writeTextFileSync(join(folder, "ca.pem"), ca);
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert,
    key,
    onListen() {},
  }, () => Response.json(RELEASE));
  return {
    url: `https://localhost:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
