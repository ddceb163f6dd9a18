/** A download over a line that is long and loses packets: several connections against one. */
import { join } from "@std/path";
import { inTurn, median, ratio, type Row } from "./bench_figures.ts";
import { type Bench, describe } from "./bench_material.ts";
import { timed } from "./bench_process.ts";
import { runProgram } from "./run_program.ts";

const ROUNDS = 3;
const SIZE = 10_000_000;
const NEAR = "updater-shim-near", FAR = "updater-shim-far";

/** Needs root, `/dev/net/tun`, Python and nginx. */
export async function slowLine({ folder, shim }: Bench): Promise<Row[]> {
  const web = join(folder, "line");
  Deno.mkdirSync(web);
  const noise = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 65_536) {
    crypto.getRandomValues(noise.subarray(at, at + 65_536));
  }
  noise.set(new TextEncoder().encode("#!/bin/sh\necho tool 2.0.0\nexit 0\n"));
  Deno.writeFileSync(join(web, "tool"), noise);
  const { size, sha256 } = describe(join(web, "tool"));
  const files = [{ target: "tool", url: "tool", size, sha256 }];
  const manifest = { schema: 1, name: "bench", version: "2.0.0" };
  const platforms = { [Deno.build.target]: { files } };
  Deno.writeTextFileSync(join(web, "release.json"), JSON.stringify({ ...manifest, platforms }));
  for (const name of [NEAR, FAR]) await runProgram("ip", ["netns", "add", name]);
  const line = start("python3", [
    ...[join(import.meta.dirname!, "lossy_line.py"), NEAR, FAR, "25", "0.01", "100"],
  ]);
  const reader = line.stdout.getReader();
  await reader.read(); // "ready"
  // The congestion control that every system has.
  const reno = "net.ipv4.tcp_congestion_control=reno";
  await runProgram("ip", ["netns", "exec", FAR, "sysctl", "-q", "-w", reno]);
  const configuration = join(web, "nginx.conf");
  Deno.writeTextFileSync(
    configuration,
    `daemon off; user root; pid ${web}/pid; error_log ${web}/error; events {}
http { access_log off; server { listen 10.9.0.2:8080; root ${web}; } }\n`,
  );
  const server = start("ip", ["netns", "exec", FAR, "nginx", "-c", configuration]);
  try {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const url = "http://10.9.0.2:8080/";
    const installed = join(folder, "far");
    const near = (program: string, args: string[]) =>
      timed("ip", ["netns", "exec", NEAR, program, ...args]);
    const [ours, theirs] = await inTurn(ROUNDS, [
      async () => {
        Deno.mkdirSync(installed);
        const from = ["--allow-http", "--manifest", `${url}release.json`];
        const ms = await near(shim, ["--quiet", "--install-dir", installed, ...from]);
        Deno.removeSync(installed, { recursive: true });
        return ms;
      },
      () => near("curl", ["-sSf", "-o", join(web, "copy"), `${url}tool`]),
    ]) as [number[], number[]];
    const { text, met } = ratio(ours, theirs, 0.75);
    return [{
      what: `update of ${SIZE / 1e6} MB over 100 Mbit/s, 50 ms there and back, 1 % lost`,
      ours: `${(median(ours) / 1000).toFixed(1)} s`,
      beside: `${(median(theirs) / 1000).toFixed(1)} s: curl, one connection (${text})`,
      target: "at most 0.75 times",
      met,
    }];
  } finally {
    server.kill("SIGTERM");
    await server.status;
    await line.stdin.close();
    await line.status;
    await reader.cancel();
    for (const name of [NEAR, FAR]) await runProgram("ip", ["netns", "del", name]);
  }
}

function start(program: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "inherit" })
    .spawn();
}
