/** Somebody executes the tool all the time while it is updated: no start may fail. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Bed } from "./bed.ts";
import type { Lab } from "./lab.ts";
import { NAMES, NEW, OLD } from "./tools.ts";

const UPDATES = 200;

/** 200 updates between two versions, and a shell that starts the targets in a loop. */
export async function reader(lab: Lab): Promise<void> {
  const bed = lab.bed();
  const { starts, failures } = await whileStarting(bed, async () => {
    for (let update = 1; update <= UPDATES; update++) {
      const release = update % 2 === 1 ? "new" : "old";
      const manifest = `${lab.server.url}/${release}/release.json`;
      const { code, stderr } = await bed.shimRun("--manifest", manifest, "--allow-downgrade");
      assertEquals([code, bed.verdict()], [0, release], stderr);
    }
  });
  lab.report.add(
    `${UPDATES} updates, ${starts} starts of the targets meanwhile: none fails`,
    failures > 0 || starts < UPDATES ? `${failures} failed` : undefined,
  );
  const naive = await whileStarting(lab.bed(), overwriteInPlace);
  lab.report.add(
    "it is seen that starts fail while a file is overwritten in place",
    naive.failures > 0 ? undefined : `none of ${naive.starts} failed`,
  );
}

async function overwriteInPlace(bed: Bed): Promise<void> {
  for (let update = 1; update <= UPDATES; update++) {
    for (const name of NAMES) {
      try {
        Deno.writeFileSync(bed.path(name), bed.tools.get(name, update % 2 === 1 ? NEW : OLD));
      } catch (error) {
        // ETXTBSY: just then somebody executes it.
        if (!/\(os error 26\)/.test(String(error))) throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function whileStarting(bed: Bed, work: (bed: Bed) => Promise<void>) {
  const log = join(bed.folder, "starts");
  // One letter a start: the loop itself does nothing else.
  const script = `while :; do for tool in "$@"; do
    if "$tool" --version >/dev/null 2>&1; then printf y; else printf n; fi; done; done >"$0"`;
  const args = ["-c", script, log, ...NAMES.map((name) => bed.path(name))];
  const loop = new Deno.Command("sh", { args, stdin: "null" }).spawn();
  try {
    await work(bed);
  } finally {
    loop.kill("SIGKILL");
    await loop.status;
  }
  const letters = Deno.readTextFileSync(log);
  assert(letters.length > 0);
  return { starts: letters.length, failures: letters.replaceAll("y", "").length };
}
