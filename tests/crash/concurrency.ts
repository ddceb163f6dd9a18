/** Many shims on one install dir: one updates, and nobody disturbs it. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Bed } from "./bed.ts";
import { brokenShim } from "./broken_shim.ts";
import type { Lab } from "./lab.ts";
import { until } from "./process.ts";

const MANY = 20;
const LOCKED = 6;
const HOLDER = ".updater-shim/holder.json";

/** Issue: exactly one at a time, a repair beside it touches nothing, a kill frees the lock. */
export async function concurrency(lab: Lab): Promise<void> {
  const { report } = lab;
  const name =
    `of ${MANY} shims at once one updates, the others end with ${LOCKED} and touch nothing`;
  await report.check(name, () => manyAtOnce(lab.bed("slow")));
  await report.check("it is seen that shims without a lock disturb each other", async () => {
    const shim = await brokenShim(lab, {
      file: "src/lock.ts",
      from: '!await onFile("lock", dir.lock, () => fs.tryLock(file))',
      to: '!await onFile("lock", dir.lock, () => fs.tryLock(file)) && dir.lock === ""',
    });
    await assertRejects(() => manyAtOnce(lab.bed("slow", shim)));
  });
  for (let round = 1; round <= 5; round++) {
    await report.check(
      `of ${MANY} shims half are killed, round ${round}: the set stays whole`,
      () => someKilled(lab.bed("slow")),
    );
  }
  await report.check(
    "a repair beside a live update touches nothing, at any of its steps",
    () => repairBeside(lab, lab.bed()),
  );
  await report.check("a kill frees the lock at once", () => killFreesTheLock(lab.bed("slow")));
}

function start(bed: Bed, ...args: string[]): Deno.ChildProcess {
  const [program, ...rest] = bed.command(...args);
  const options = { args: rest, stdin: "null", stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command(program!, options).spawn();
}

async function manyAtOnce(bed: Bed): Promise<void> {
  const children = Array.from({ length: MANY }, () => start(bed, "--json"));
  const outputs = await Promise.all(children.map((child) => child.output()));
  const events = outputs.map(({ stdout }) =>
    new TextDecoder().decode(stdout).trim().split("\n").filter(Boolean)
      .map((line) => JSON.parse(line).event as string)
  );
  assertEquals(events.filter((list) => list.includes("updated")).length, 1);
  for (const [index, { code }] of outputs.entries()) {
    if (code === LOCKED) assertEquals(events[index], ["error"]);
    // Who came after the end found nothing to do.
    else assert(["updated", "up-to-date"].includes(events[index]!.at(-1)!), `code ${code}`);
  }
  assert(outputs.some(({ code }) => code === LOCKED), "none found the lock held");
  assertEquals([bed.verdict(), bed.strangers(false)], ["new", []]);
}

async function someKilled(bed: Bed): Promise<void> {
  const children = Array.from({ length: MANY }, () => start(bed));
  const ends = children.map((child) => child.output());
  for (const child of children.filter((_, index) => index % 2 === 0)) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    try {
      child.kill("SIGKILL");
    } catch {
      // It had ended.
    }
  }
  const outputs = await Promise.all(ends);
  for (const { code, signal } of outputs) assert(signal || [0, LOCKED].includes(code));
  assert(["old", "new", "mixed"].includes(bed.verdict()), bed.verdict());
  assertEquals((await bed.shimRun()).code, 0);
  assertEquals([bed.verdict(), bed.strangers(false)], ["new", []]);
  assert(await bed.runs());
}

async function repairBeside(lab: Lab, bed: Bed): Promise<void> {
  let tried = 0;
  const trace = { folders: [bed.install], class: "other", at: 1 } as const;
  for await (const _ of lab.tracer.stops(trace, bed.command())) {
    // The lock is taken right before its holder's name is written.
    if (!bed.names().includes(HOLDER)) continue;
    const before = bed.signature(true);
    const { code } = await bed.shimRun("--repair");
    assertEquals([code, bed.signature(true)], [LOCKED, before]);
    tried++;
  }
  assert(tried > 40, `only ${tried} steps`);
  assertEquals(bed.verdict(), "new");
}

async function killFreesTheLock(bed: Bed): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const child = start(bed);
    const end = child.output();
    await until("the lock is held", () => bed.names().includes(HOLDER));
    child.kill("SIGKILL");
    await end;
    assertEquals((await bed.shimRun("--repair")).code, 0);
  }
}
