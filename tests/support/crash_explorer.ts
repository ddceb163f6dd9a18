/**
 * Runs a program on a simulated disk and looks at everything that a crash at any step may leave;
 * from each of these it runs the recovery and looks at what a crash of that may leave, and so on
 * until nothing new is found.
 */
import type { SimulatedDisk } from "./simulated_disk.ts";
import { SimulatedFileSystem, type SimulationOptions } from "./simulated_file_system.ts";

/** A disk that a crash left. */
export interface Crashed {
  readonly disk: SimulatedDisk;
  /** Killed, or without power. A killed one's changes are all visible, but not all durable. */
  readonly cause: "kill" | "power cut";
  /** Images that are still being executed: a power cut ends them all. */
  readonly executing: ReadonlySet<number>;
  /** What the program has told its user, if it came so far: that is due from then on. */
  readonly told: string | undefined;
  /** Crashes so far, this one included. */
  readonly depth: number;
}

/** What to explore. */
export interface Exploration {
  readonly disk: SimulatedDisk;
  readonly options: Pick<SimulationOptions, "os" | "mounts" | "links"> & {
    executing?: ReadonlySet<number>;
  };
  /** What is interrupted. */
  readonly program: (fs: SimulatedFileSystem) => Promise<string>;
  /** What the next start does. */
  readonly recovery: (fs: SimulatedFileSystem) => Promise<void>;
  /** Throws if no crash may leave that. */
  readonly checkCrashed: (crashed: Crashed) => void;
  /** Throws if no recovery may leave that; an old image may still have been `executing` then. */
  readonly checkRecovered: (disk: SimulatedDisk, before: Crashed, executing: boolean) => void;
}

/** How much was looked at. */
export interface Explored {
  readonly states: number;
  /** Crashes in a row. */
  readonly deepest: number;
}

/**
 * A recovery that is killed again and again piles up changes that are not durable yet, without end.
 * A power cut empties that pile, so of those every depth is looked at.
 */
const MOST_KILLS = 2;

/**
 * Explores everything but what was `seen` by another exploration. Throws what a check throws, with
 * the disk that it did not like.
 */
export async function explore(
  exploration: Exploration,
  seen: Set<string> = new Set(),
): Promise<Explored> {
  const { disk, options: { executing = new Set() }, program, recovery } = exploration;
  const queue: Crashed[] = [];
  const add = (crashed: Crashed) => {
    const { disk, cause, executing, told, depth } = crashed;
    if (cause === "kill" && depth > MOST_KILLS) return;
    const key = `${cause} ${told} ${[...executing]}\n${disk.state}`;
    if (seen.has(key)) return;
    seen.add(key);
    withDisk(disk, () => exploration.checkCrashed(crashed));
    queue.push(crashed);
  };
  await run(exploration, program, { disk, executing, depth: 0, told: undefined }, add);
  // It grows while it is walked through.
  for (const crashed of queue) {
    let disk = await run(exploration, recovery, crashed, add);
    withDisk(
      disk,
      () => exploration.checkRecovered(disk, crashed, crashed.executing.size > 0),
      crashed,
    );
    const later = { ...crashed, executing: new Set<number>() };
    if (crashed.executing.size > 0) {
      disk = await run(exploration, recovery, { ...later, disk }, () => {});
      withDisk(disk, () => exploration.checkRecovered(disk, crashed, false), crashed);
    }
    const again = await run(exploration, recovery, { ...later, disk }, () => {});
    if (disk.visible === again.visible) continue;
    throw new Error(`Another recovery changed\n${disk.visible}\n\ninto\n${again.visible}`);
  }
  return { states: queue.length, deepest: Math.max(0, ...queue.map(({ depth }) => depth)) };
}

/** Runs one program to its end on a copy of the disk, and hands out all that crashes may leave. */
async function run(
  { options }: Exploration,
  program: Exploration["program"] | Exploration["recovery"],
  from: Omit<Crashed, "cause">,
  found: (crashed: Crashed) => void,
): Promise<SimulatedDisk> {
  const disk = from.disk.clone();
  const executing = new Set(from.executing);
  const look = (told: string | undefined) => {
    const common = { told, depth: from.depth + 1 };
    for (const left of new Set([executing, new Set<number>()])) {
      found({ ...common, cause: "kill", executing: new Set(left), disk: disk.clone() });
    }
    for (const left of disk.crashStates()) {
      found({ ...common, cause: "power cut", executing: new Set(), disk: left });
    }
  };
  const onStep = () => look(from.told);
  const told = await program(new SimulatedFileSystem(disk, { ...options, executing, onStep }));
  look(told ?? from.told);
  return disk;
}

function withDisk(disk: SimulatedDisk, check: () => void, before?: Crashed): void {
  try {
    check();
  } catch (error) {
    const what = before ? `after ${before.depth} crashes, a ${before.cause} the last` : "";
    const from = before ? `It had been ${what}:\n${before.disk.state}` : "";
    const text = `${(error as Error).message}\n${disk.visible}\n\n${from}`;
    throw new Error(text, { cause: error });
  }
}
