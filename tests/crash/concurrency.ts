/** Many shims on one install dir: one updates, and nobody disturbs it. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Bed } from "./bed.ts";
import { brokenShim, updatesAlone } from "./broken_shim.ts";
import type { Lab } from "./lab.ts";
import { until } from "./process.ts";

const MANY = 20;
/** Of shims that hold the lock; a kill of one that waits for nothing proves nothing. */
const KILLS = 20;
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
      file: "src/installation/lock.ts",
      from: '!await onFile("lock", dir.lock, () => fs.tryLock(file))',
      to: '!await onFile("lock", dir.lock, () => fs.tryLock(file)) && dir.lock === ""',
    });
    await updatesAlone(lab.bed("new", shim));
    await assertRejects(() => manyAtOnce(lab.bed("slow", shim)));
  });
  await report.check(
    `of ${MANY} shims at once whichever updates is killed, ${KILLS} times: the set stays whole`,
    () => holdersKilled(() => lab.bed("slow")),
  );
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

async function holdersKilled(next: () => Bed): Promise<void> {
  for (let killed = 0, round = 0; killed < KILLS; round++) {
    assert(round < 2 * KILLS, `only ${killed} kills in ${round} rounds`);
    const bed = next();
    killed += await killHolders(bed);
    await mended(bed);
  }
}

/** Starts many, and kills the holder at any moment of its update while there is one. */
async function killHolders(bed: Bed): Promise<number> {
  const children = new Map(Array.from({ length: MANY }, () => start(bed)).map((c) => [c.pid, c]));
  let ended = false;
  const outputs = Promise.all([...children.values()].map((child) => child.output()))
    .finally(() => ended = true);
  while (!ended) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
    const holder = children.get(holderOf(bed) ?? 0);
    try {
      holder?.kill("SIGKILL");
    } catch {
      // It has been killed, or has just ended: its name may stay.
    }
  }
  for (const { code, signal } of await outputs) {
    assert(signal === "SIGKILL" || [0, LOCKED].includes(code), `code ${code}`);
  }
  return (await outputs).filter(({ signal }) => signal === "SIGKILL").length;
}

function holderOf(bed: Bed): number | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(bed.path(HOLDER))).pid;
  } catch {
    return undefined; // Nobody, or just being written.
  }
}

async function mended(bed: Bed): Promise<void> {
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
