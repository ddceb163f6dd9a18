/** What may be left of a simulated disk: the enumeration of `SimulatedDisk.crashStates`. */
import type { SimulatedDisk } from "./simulated_disk.ts";

/** What a file holds. `bytes` are replaced, never changed. */
export interface Content {
  readonly bytes: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

/** A file or a folder. */
export interface Inode {
  readonly isFolder: boolean;
  now: Content;
  /** What a power cut leaves for sure; undefined: nothing. */
  synced: Content | undefined;
}

/** Names of each folder. */
export type Names = Map<number, Map<string, number>>;

/** A change of names: all of it or nothing survives. */
export interface Operation {
  readonly changes: readonly {
    readonly folder: number;
    readonly name: string;
    readonly inode: number | undefined;
  }[];
  durable: boolean;
}

/** Up to so many not yet synced changes, all subsets are looked at. */
const EXHAUSTIVE = 8;

interface Remains {
  readonly inodes: Map<number, Inode>;
  readonly names: Names;
}

/** Every state that may be left, without repetitions. */
export function* survivors(disk: SimulatedDisk): Generator<Remains> {
  const seen = new Set<string>();
  for (const kept of subsets(disk)) {
    const names: Names = new Map([...disk.durable].map(([id, entries]) => [id, new Map(entries)]));
    for (const operation of kept) leftOf(names, operation.changes);
    for (const remains of contents(disk, names)) {
      const key = describe(remains);
      if (seen.has(key)) continue;
      seen.add(key);
      yield remains;
    }
  }
}

/** Applies changes to names. */
export function leftOf(names: Names, changes: Operation["changes"]): void {
  for (const { folder, name, inode } of changes) {
    const entries = names.get(folder)!;
    if (inode === undefined) entries.delete(name);
    else entries.set(name, inode);
  }
}

/**
 * Which operations survive, in their order. Another order needs no look: operations on different
 * names commute, and of two on one name the later alone gives the same as the two swapped.
 */
function* subsets({ operations, model }: SimulatedDisk): Generator<Operation[]> {
  const open = operations.filter(({ durable }) => !durable);
  const keep = (survives: (index: number) => boolean) =>
    operations.filter((operation) => operation.durable || survives(open.indexOf(operation)));
  for (let length = 0; length <= open.length; length++) yield keep((index) => index < length);
  if (model === "ordered") return;
  if (open.length <= EXHAUSTIVE) {
    for (let bits = 0; bits < 2 ** open.length; bits++) yield keep((i) => (bits >> i & 1) === 1);
    return;
  }
  // ALICE and CrashMonkey found that the bugs there are need at most three operations.
  for (let a = 0; a < open.length; a++) {
    for (let b = a; b < open.length; b++) {
      yield keep((index) => index === a || index === b);
      yield keep((index) => index !== a && index !== b);
    }
  }
}

/** Every combination of what the not yet synced files may hold. */
function* contents(disk: SimulatedDisk, names: Names): Generator<Remains> {
  const reachable = reach(names);
  const inodes = new Map<number, Inode>();
  const open: number[] = [];
  for (const id of reachable) {
    const inode = disk.inodes.get(id)!;
    inodes.set(id, settled(inode.synced ?? inode.now, inode));
    if (inode.synced !== inode.now) open.push(id);
  }
  const kept: Names = new Map([...names].filter(([id]) => reachable.has(id)));
  yield* choose(0);

  function* choose(index: number): Generator<Remains> {
    if (index === open.length) return yield { inodes: new Map(inodes), names: kept };
    const id = open[index]!;
    const inode = disk.inodes.get(id)!;
    for (const content of variants(inode)) {
      inodes.set(id, settled(content, inode));
      yield* choose(index + 1);
    }
  }
}

/** All there, nothing there, half of it, zeros (a length without its blocks), what was synced. */
function variants({ now, synced }: Inode): Content[] {
  const { bytes, mode } = now;
  const half = bytes.subarray(0, bytes.length / 2);
  const before = synced ? [synced, { bytes, mode: synced.mode }] : [];
  return [now, ...before].concat(
    [new Uint8Array(), half, new Uint8Array(bytes.length)].map((bytes) => ({ bytes, mode })),
  );
}

function settled(content: Content, { isFolder }: Inode): Inode {
  return { isFolder, now: content, synced: content };
}

function reach(names: Names): Set<number> {
  const reached = new Set([1]);
  for (const id of reached) {
    for (const child of names.get(id)?.values() ?? []) reached.add(child);
  }
  return reached;
}

/** Names, links, bytes and modes as a text; `history` adds what a power cut might do to them. */
export function describe(
  { inodes, names }: Remains,
  history: readonly Operation[] = [],
): string {
  const lines: string[] = [];
  const numbers = new Map<number, number>();
  // Two disks are the same if only the numbers differ: they are given in the order of the names.
  const number = (id: number): number => {
    const known = numbers.get(id);
    if (known !== undefined) return known;
    numbers.set(id, numbers.size);
    const { isFolder, now, synced } = inodes.get(id)!;
    if (!isFolder) {
      lines.push(`${numbers.get(id)} ${text(now)} ${synced === now ? "" : text(synced)}`);
    } else walk(id);
    return numbers.get(id)!;
  };
  const walk = (folder: number) => {
    for (const [name, id] of [...names.get(folder) ?? []].sort(([a], [b]) => a < b ? -1 : 1)) {
      lines.push(`${numbers.get(folder)}/${name} = ${number(id)}`);
    }
  };
  number(1);
  for (const { changes, durable } of history) {
    const texts = changes.map(({ folder, name, inode }) =>
      `${number(folder)}/${name}=${inode === undefined ? "" : number(inode)}`
    );
    lines.push(`${durable ? "+" : "-"} ${texts.join(" ")}`);
  }
  return lines.join("\n");
}

const decoder = new TextDecoder("latin1");

function text(content: Content | undefined): string {
  return content ? `${content.mode.toString(8)} ${decoder.decode(content.bytes)}` : "nothing";
}
