/**
 * The compiled shim behind a real proxy. It may not read the environment; that the runtime does so
 * for its own requests is what these tests hold on to.
 */
import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { makeCertificates } from "./certificates.ts";
import { hostileServer } from "./hostile_server.ts";
import { closedPort, SECRET } from "./network.ts";
import { compiledShim, type ShimRun } from "./shim.ts";

const MANIFEST = JSON.stringify({ schema: 1, name: "tool", version: "2.0.0", platforms: {} });

/** Ends with its scope. */
export interface Proxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** What it was asked for up to now, such as `CONNECT localhost:443` or `GET http://…`. */
  requests(): string[];
}

/** Starts a proxy that wants these credentials. */
export type StartProxy = (user: string, password: string) => Promise<Proxy>;

/** A release over https and http, a proxy, and an empty install dir. */
class Network implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    readonly proxy: Proxy,
    readonly https: Deno.HttpServer<Deno.NetAddr>,
    readonly http: Deno.HttpServer<Deno.NetAddr>,
  ) {}

  static async start(startProxy: StartProxy): Promise<Network> {
    const proxy = await startProxy("bob", SECRET);
    const { ca, cert, key } = await makeCertificates();
    const folder = Deno.makeTempDirSync();
    Deno.writeTextFileSync(join(folder, "ca.pem"), ca);
    const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
    const answer = () => new Response(MANIFEST);
    const https = Deno.serve({ ...options, cert, key }, answer);
    return new Network(folder, proxy, https, Deno.serve(options, answer));
  }

  /** `--check`, with nothing in the environment but the authority and these. */
  async check(env: Record<string, string>, scheme: "https" | "http" = "https"): Promise<ShimRun> {
    const { port } = this[scheme].addr;
    const url = `${scheme}://localhost:${port}/release.json?token=${SECRET}`;
    const { code, stdout, stderr } = await new Deno.Command(await compiledShim(), {
      args: ["--check", "--install-dir", this.folder, "--manifest", url],
      env: { SSL_CERT_FILE: join(this.folder, "ca.pem"), ...env },
      clearEnv: true,
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const run = { code, stdout: text(stdout), stderr: text(stderr) };
    assertFalse(run.stderr.includes(SECRET) || run.stderr.includes("bob"), run.stderr);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await Promise.all([this.https.shutdown(), this.http.shutdown()]);
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** It has read the manifest, which has nothing for this machine. */
function assertRead({ code, stderr }: ShimRun): void {
  assertMatch(stderr, /tool 2\.0\.0 is not made for this platform/);
  assertEquals(code, 2);
}

/**
 * The steps of one test. Linux only: elsewhere the certificate store is not a file that a test could
 * choose. `wrongPassword`: what the shim makes of this proxy's answer to one.
 */
export async function testBehindProxy(
  t: Deno.TestContext,
  start: StartProxy,
  wrongPassword: RegExp,
): Promise<void> {
  await using network = await Network.start(start);
  const { proxy } = network;
  const address = `http://bob:${SECRET}@${proxy.address}`;
  const connect = `CONNECT localhost:${network.https.addr.port}`;
  const asked = async (run: Promise<ShimRun>) => {
    const before = proxy.requests().length;
    const result = await run;
    return { result, requests: proxy.requests().slice(before) };
  };

  for (const name of ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"]) {
    await t.step(`${name} is honoured, credentials and all`, async () => {
      const { result, requests } = await asked(network.check({ [name]: address }));
      assertRead(result);
      assertEquals(requests, [connect]);
    });
  }
  await t.step("HTTP_PROXY is for http", async () => {
    const plain = await asked(network.check({ HTTP_PROXY: address }, "http"));
    assertRead(plain.result);
    assertEquals(plain.requests.map((request) => request.split("?")[0]), [
      `GET http://localhost:${network.http.addr.port}/release.json`,
    ]);
    const other = await asked(network.check({ HTTP_PROXY: address }));
    assertRead(other.result);
    assertEquals(other.requests, []);
  });
  await t.step("NO_PROXY names what is reached without it", async () => {
    for (const value of ["localhost", "example.com, localhost", "*"]) {
      const env = { HTTPS_PROXY: address, NO_PROXY: value };
      const { result, requests } = await asked(network.check(env));
      assertRead(result);
      assertEquals(requests, []);
    }
  });
  await t.step("a proxy that refuses our password is named as the reason", async () => {
    const env = { HTTPS_PROXY: `http://bob:no${SECRET}@${proxy.address}` };
    const { code, stderr } = await network.check(env);
    assertEquals(code, 3);
    assertMatch(stderr, wrongPassword);
    assertMatch(stderr, /HTTPS_PROXY/);
  });
  await t.step("a proxy that forbids (403) is named as the reason", async () => {
    await using strict = hostileServer(({ reply }) => reply(403));
    const { code, stderr } = await network.check({ HTTPS_PROXY: strict.url });
    assertEquals(code, 3);
    assertMatch(stderr, /\/release\.json: the proxy does not let us through/);
  });
  await t.step("a proxy that asks for a password (407) is not asked again", async () => {
    const headers = { "proxy-authenticate": "Basic realm=x" };
    await using strict = hostileServer(({ reply }) => reply(407, headers));
    const { code, stderr } = await network.check({ HTTPS_PROXY: strict.url });
    assertEquals(code, 3);
    assertMatch(stderr, /\/release\.json: proxy authentication required\n/);
    assertMatch(stderr, /Check the user name and password in HTTPS_PROXY/);
    assertEquals(strict.asked.length, 1);
    assertFalse(strict.asked[0]!.path.includes("release"), "only host and port are told");
  });
  await t.step("a proxy that is down is a network failure", async () => {
    const env = { HTTPS_PROXY: `http://bob:${SECRET}@127.0.0.1:${closedPort()}` };
    const { code, stderr } = await network.check(env);
    assertEquals(code, 3);
    assertMatch(stderr, /refused/);
    assert(stderr.includes("HTTPS_PROXY"));
  });
}
