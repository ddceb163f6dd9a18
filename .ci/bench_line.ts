/** A download over a line that is long and loses packets: several connections against one. */
import { join } from "@std/path";
import { inTurn, median, ratio, type Row } from "./bench_figures.ts";
import { type Bench, describe } from "./bench_material.ts";
import { timed } from "./bench_process.ts";
import { runProgram } from "./run_program.ts";

const ROUNDS = 3;
const SIZE = 10_000_000;
const NEAR = "updater-shim-near", FAR = "updater-shim-far";
const ADDRESS = "10.9.0.2:8080", URL = `http://${ADDRESS}/`;

/** Needs root, `/dev/net/tun`, Python and nginx. */
export async function slowLine({ folder, shim }: Bench): Promise<Row[]> {
  const web = join(folder, "line");
  writeRelease(web);
  return await overTheLine(web, async (near) => {
    const installed = join(folder, "far");
    const [ours, theirs] = await inTurn(ROUNDS, [
      async () => {
        Deno.mkdirSync(installed);
        const from = ["--allow-http", "--manifest", `${URL}release.json`];
        const ms = await near(shim, ["--quiet", "--install-dir", installed, ...from]);
        Deno.removeSync(installed, { recursive: true });
        return ms;
      },
      () => near("curl", ["-sSf", "-o", join(web, "copy"), `${URL}tool`]),
    ]) as [number[], number[]];
    const { text, met } = ratio(ours, theirs, 0.75);
    return [{
      what: `update of ${SIZE / 1e6} MB over 100 Mbit/s, 50 ms there and back, 1 % lost`,
      ours: `${(median(ours) / 1000).toFixed(1)} s`,
      beside: `${(median(theirs) / 1000).toFixed(1)} s: curl, one connection (${text})`,
      target: "at most 0.75 times",
      met,
    }];
  });
}

/** A tool that packs no smaller, and its manifest. */
function writeRelease(web: string): void {
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
}

/** Milliseconds that a program takes at the near end. */
type Near = (program: string, args: string[]) => Promise<number>;

/** Serves a folder at the far end of the line, which is there until `measure` is done, or has failed. */
async function overTheLine<T>(web: string, measure: (near: Near) => Promise<T>): Promise<T> {
  await using ends = new AsyncDisposableStack();
  for (const name of [NEAR, FAR]) {
    await runProgram("ip", ["netns", "add", name]);
    ends.defer(async () => void await runProgram("ip", ["netns", "del", name]));
  }
  const script = join(import.meta.dirname!, "lossy_line.py");
  const line = start("python3", [script, NEAR, FAR, "25", "0.01", "100"]);
  const reader = line.stdout.getReader();
  ends.defer(async () => {
    await line.stdin.close();
    await line.status;
    await reader.cancel();
  });
  await reader.read(); // "ready"
  // The congestion control that every system has.
  const reno = "net.ipv4.tcp_congestion_control=reno";
  await runProgram("ip", ["netns", "exec", FAR, "sysctl", "-q", "-w", reno]);
  const configuration = join(web, "nginx.conf");
  Deno.writeTextFileSync(
    configuration,
    `daemon off; user root; pid ${web}/pid; error_log ${web}/error; events {}
http { access_log off; server { listen ${ADDRESS}; root ${web}; } }\n`,
  );
  const server = start("ip", ["netns", "exec", FAR, "nginx", "-c", configuration]);
  ends.defer(async () => {
    server.kill("SIGTERM");
    await server.status;
  });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return await measure((program, args) => timed("ip", ["netns", "exec", NEAR, program, ...args]));
}

function start(program: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "inherit" })
    .spawn();
}
