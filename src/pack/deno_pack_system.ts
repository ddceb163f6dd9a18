/** The real `PackSystem`. */
import { denoSystem } from "../system/deno_system.ts";
import { makeInThreads, makeOne } from "./deno_patch_threads.ts";
import type { PackSystem } from "./pack_system.ts";

const ENTER = [10, 13], INTERRUPT = [3, 4], ERASE = [8, 127];

/** One line from the terminal without an echo. */
function askSecret(question: string): string | undefined {
  const typed: number[] = [];
  const byte = new Uint8Array(1);
  // Before the question: what is typed at once after it would be shown.
  Deno.stdin.setRaw(true);
  try {
    denoSystem.terminal.err(question);
    while (Deno.stdin.readSync(byte) === 1) {
      const [code] = byte as unknown as [number];
      if (INTERRUPT.includes(code)) return undefined;
      if (ENTER.includes(code)) return new TextDecoder().decode(Uint8Array.from(typed));
      if (ERASE.includes(code)) typed.pop();
      else typed.push(code);
    }
    return undefined;
  } finally {
    Deno.stdin.setRaw(false);
    denoSystem.terminal.err("\n");
  }
}

/** The world as it is; all is done by this thread. */
export const denoPackSystem: PackSystem = {
  ...denoSystem,
  env: (name) => Deno.env.get(name),
  isInteractive: Deno.stdin.isTerminal() && Deno.stderr.isTerminal(),
  askSecret,
  async makePatches(jobs, signal) {
    const results = [];
    for (const job of jobs) {
      signal.throwIfAborted();
      results.push(await makeOne(job));
    }
    return results;
  },
  makeScratch: () => Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-pack-" })),
};

/** The same with threads; `program` is the URL of a main module that calls `servePatches` in them. */
export function withThreads(program: string): PackSystem {
  return {
    ...denoPackSystem,
    makePatches: (jobs, signal) => makeInThreads(program, jobs, signal),
  };
}
