/** Serves one release on loopback from a process of its own, so that it shares no time with ours. */
import { join } from "@std/path";
import type { Release } from "./bench_material.ts";

/** Runs until its scope ends. */
export interface BenchServer extends AsyncDisposable {
  /** URL of the release manifest. */
  readonly manifest: string;
  /** URL of the executable. */
  readonly file: string;
  /** What serves. */
  readonly program: "nginx" | "deno";
}

/** `entry` is what the manifest says besides. Starts nginx, or a few lines of Deno where it is not installed. */
export async function serve(
  folder: string,
  release: Release,
  { name = "new", entry = {} }: { name?: string; entry?: Record<string, unknown> } = {},
): Promise<BenchServer> {
  const root = Deno.makeTempDirSync({ dir: folder });
  Deno.chmodSync(root, 0o755);
  Deno.symlinkSync(release.path, join(root, name));
  Deno.writeTextFileSync(join(root, "release.json"), manifestOf(release, { url: name, ...entry }));
  const port = freePort();
  const nginx = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].find(exists);
  const child = (nginx ? startNginx(nginx, root, port) : startDeno(root, port)).spawn();
  const base = `http://127.0.0.1:${port}`;
  await untilItAnswers(`${base}/release.json`);
  return {
    manifest: `${base}/release.json`,
    file: `${base}/${name}`,
    program: nginx ? "nginx" : "deno",
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

function manifestOf({ size, sha256 }: Release, entry: Record<string, unknown>): string {
  const files = [{ target: "deno", size, sha256, ...entry }];
  return JSON.stringify({
    schema: 1,
    name: "bench",
    version: "2.9.6",
    platforms: { [Deno.build.target]: { files } },
  });
}

function startNginx(program: string, root: string, port: number): Deno.Command {
  const config = join(root, "nginx.conf");
  Deno.writeTextFileSync(
    config,
    `daemon off; master_process off; pid ${root}/pid; error_log stderr crit;
events {}
http {
  access_log off; sendfile on; tcp_nopush on;
  client_body_temp_path ${root}; proxy_temp_path ${root}; fastcgi_temp_path ${root};
  uwsgi_temp_path ${root}; scgi_temp_path ${root};
  server { listen 127.0.0.1:${port}; root ${root}; }
}`,
  );
  return new Deno.Command(program, { args: ["-p", root, "-c", config], stdin: "null" });
}

function startDeno(root: string, port: number): Deno.Command {
  const code =
    `Deno.serve({ hostname: "127.0.0.1", port: ${port}, onListen() {} }, async (request) => {
    const file = await Deno.open(${JSON.stringify(root)} + new URL(request.url).pathname);
    const { size } = await file.stat();
    return new Response(file.readable, { headers: { "content-length": String(size) } });
  });`;
  return new Deno.Command(Deno.execPath(), { args: ["eval", code], stdin: "null" });
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function untilItAnswers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      const response = await fetch(url);
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // It does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no answer from ${url} within 10 s`);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
