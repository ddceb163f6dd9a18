/** Runs a program and measures it. Linux only. */

/** Milliseconds from its start to its end. Throws when it fails. */
export async function timed(program: string, args: readonly string[]): Promise<number> {
  const started = performance.now();
  const { code, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" })
    .output();
  const ms = performance.now() - started;
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${decode(stderr)}`);
  return ms;
}

/** What a run takes, with that of the programs that it runs. */
export interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
}

/** Its time, and that of the processors. Nothing else may end meanwhile that this process has started. */
export async function costOf(program: string, args: readonly string[]): Promise<Cost> {
  const before = endedChildrenMs();
  const ms = await timed(program, args);
  return { ms, cpuMs: endedChildrenMs() - before };
}

/** What the kernel has counted of all children that have ended, in steps of 10 ms. */
function endedChildrenMs(): number {
  // proc_pid_stat(5): cutime and cstime are the fields 16 and 17; the second is a name in parentheses.
  const fields = Deno.readTextFileSync("/proc/self/stat").replace(/^.*\) /s, "").split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/**
 * The most memory (KiB) that the program itself had resident. Not `time -v`: that counts the
 * programs which it ran, too, and a health check runs the new executable. The kernel's own high-water
 * mark, read until the end, so that no peak is lost but one of the last millisecond.
 */
export async function peakKiB(program: string, args: readonly string[]): Promise<number> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let ended = false;
  const output = child.output().finally(() => ended = true);
  let peak = 0;
  while (!ended) {
    peak = Math.max(peak, highWaterMark(child.pid));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { code, stderr } = await output;
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${decode(stderr)}`);
  return peak;
}

function highWaterMark(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0; // it has just ended
  }
}

/**
 * Makes runs alike: nothing left to be written to the disk, and memory that the machine has already
 * got from its host (the first touch of 100 MB can cost a virtual machine 0.4 s).
 */
export async function prepareMemory(): Promise<void> {
  await timed(Deno.execPath(), ["eval", "new Uint8Array(800_000_000).fill(1)"]);
  await timed("sync", []);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim();
}
