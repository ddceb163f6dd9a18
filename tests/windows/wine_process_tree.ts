/** Ending a Windows program from the Linux side. */

/**
 * Ends the innermost process below `pid` until `ended` is settled: bed.sh, nsenter and timeout each
 * have one child, and the last of them is the Windows program (those that it starts itself belong
 * to the bed's first process). Again and again, because the program may be about to start only.
 */
export async function killInnermost(pid: number, ended: Promise<unknown>): Promise<void> {
  let done = false;
  const end = ended.then(() => done = true);
  while (!done) {
    const child = innermostBelow(pid);
    if (child !== undefined) kill(child);
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
}

function innermostBelow(pid: number): number | undefined {
  const child = childOf(pid);
  return child === undefined ? undefined : innermostBelow(child) ?? child;
}

function childOf(pid: number): number | undefined {
  try {
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim();
    return children === "" ? undefined : Number(children.split(" ")[0]);
  } catch {
    return undefined; // gone meanwhile
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
