/**
 * Cuts the power. The install dir is on a file system in an image file; the shim is held before each
 * of its changes, and the image is copied as it is: what the system has not written yet is not in
 * it. Each copy is then mounted and recovered.
 */
import { join } from "@std/path";
import type { Bed } from "./bed.ts";
import type { Start } from "./folders.ts";
import { Lab } from "./lab.ts";
import { must, run } from "./process.ts";
import { Row } from "./report.ts";
import { NAMES } from "./tools.ts";

const KINDS = ["ext4", "xfs", "btrfs"] as const;
type Kind = typeof KINDS[number];
/** Each file system wants at least so much (MiB); the images are sparse. */
const SIZE: Record<Kind, number> = { ext4: 64, xfs: 300, btrfs: 128 };
/** How it is made: small, and with no more work for each copy than needed. */
const MAKE: Record<Kind, readonly string[]> = {
  ext4: ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"],
  xfs: ["mkfs.xfs", "-q", "-f"],
  btrfs: ["mkfs.btrfs", "-q", "-f"],
};
/** Large enough that a file system does not write it between two calls: a few megabytes. */
const PADDING = 6_000_000;
/** Instants for each file system, of both ways together. */
const LEAST = 100;

/** One copy, and when it was made. */
interface Instant {
  /** Counted from 1. */
  readonly at: number;
  readonly where: string;
  readonly image: string;
}

/** All file systems, with all instants; then the same without fsync, which must be seen. */
export async function powerCuts({ scratch, report }: Lab): Promise<void> {
  await using lab = await Lab.make(join(scratch, "power"), report, PADDING);
  const { only } = report;
  for (const kind of only ? KINDS.filter((kind) => kind === only.of) : KINDS) {
    const row = lab.report.row(`power cut, ${kind}`);
    for (const forced of [false, true]) await cut(lab, kind, { row, forced });
    // Where it is seen most: what was not synced is lost there.
    if (kind === "xfs") await cut(lab, kind, { row, forced: true, release: "patched" });
    lab.report.close(row, LEAST);
  }
  if (only) return;
  const withoutFsync = { forced: true, skip: ["sync", "syncdir"] };
  const lost = lab.report.row("without fsync a power cut loses a file on xfs");
  await cut(lab, "xfs", { row: lost, ...withoutFsync });
  lab.report.expectBad(lost, ["corrupt"]);
  // btrfs writes a file's bytes when it is renamed over another one; not where there was none.
  const lostToo = lab.report.row("without fsync a power cut loses a new file on btrfs");
  await cut(lab, "btrfs", { row: lostToo, first: true, ...withoutFsync });
  lab.report.expectBad(lostToo, ["corrupt"]);
  const kept = new Row("first installation");
  await cut(lab, "btrfs", { row: kept, first: true, forced: true });
  const { tried, corrupt } = kept.counts;
  lab.report.add(
    `with fsync a power cut loses no new file on btrfs: ${tried} points`,
    tried < LEAST / 2 || corrupt > 0 ? `${corrupt} lost` : undefined,
  );
}

interface Cut {
  readonly row: Row;
  /** Before each copy another program syncs a file: that makes many file systems write names. */
  readonly forced: boolean;
  /** Default: the full files. */
  readonly release?: "patched";
  /** There is no old version. */
  readonly first?: boolean;
  /** What kind of folder it begins in; then only every fifth instant is looked at. */
  readonly start?: Start;
  /** Calls that are left out. */
  readonly skip?: readonly string[];
}

/** One file system, from another kind of folder. */
export async function powerCutIn(lab: Lab, start: Start): Promise<void> {
  const row = lab.report.row(`power cut, ${start.name}`);
  await cut(lab, "xfs", { row, forced: true, start });
  lab.report.close(row, 8);
}

async function cut(lab: Lab, kind: Kind, how: Cut): Promise<void> {
  const disk = await Disk.make(lab, kind);
  try {
    const bed = lab.bedIn(join(disk.folder, "bed"), how.release);
    if (how.first) { for (const name of NAMES) Deno.removeSync(bed.path(name)); }
    const instants: Instant[] = [];
    await how.start?.prepare(bed);
    await must("sync", "--file-system", disk.folder);
    const trace = { folders: [bed.install], class: "other", at: 1, skip: how.skip ?? [] } as const;
    let at = 0;
    for await (const line of lab.tracer.stops(trace, bed.command())) {
      at++;
      const where = line.replaceAll("\t", " ").replace(/\/.*\//, "");
      if (how.forced) await disk.syncSomethingElse(at - 1);
      const wanted = lab.report.only?.at ?? at;
      if (wanted === at && (!how.start || at % 5 === 0)) {
        instants.push({ at, where, image: await disk.copy(at) });
      }
    }
    await disk.unmount();
    await lookAtAll(disk, bed, instants, how);
  } finally {
    await disk.remove();
  }
}

async function lookAtAll(disk: Disk, bed: Bed, instants: readonly Instant[], { row, start }: Cut) {
  // Between two writes of the file system copies are alike: what was proven is so for all of them.
  const proven = new Map<string, Awaited<ReturnType<typeof recoverOnce>>>();
  for (const { at, where, image } of instants) {
    await disk.mount(image);
    const there = await start?.arrive(bed) ?? bed;
    const before = there.verdict();
    const signature = there.signature();
    const outcome = proven.get(signature) ?? await recoverOnce(there);
    proven.set(signature, outcome);
    const other = [outcome.other, start?.complaint(bed)].filter(Boolean).join("; ") || undefined;
    row.add({ at: `${disk.kind}:${at}`, where, before, ...outcome, other });
    await disk.unmount();
    Deno.removeSync(image);
  }
}

async function recoverOnce(bed: Bed) {
  const problems: string[] = [];
  const { code, stderr } = await bed.shimRun("--repair");
  if (code !== 0) problems.push(`--repair ends with ${code}: ${stderr}`);
  const after = bed.verdict(), strangers = bed.strangers(true);
  if (!await bed.runs()) problems.push("it does not run");
  return { after, strangers, other: problems.join("; ") || undefined };
}

/** A file system in an image, always mounted at the same place: the journal knows its path. */
class Disk {
  #mounted = false;

  private constructor(readonly kind: Kind, readonly image: string, readonly folder: string) {}

  static async make(lab: Lab, kind: Kind): Promise<Disk> {
    const image = join(lab.scratch, `${kind}.img`), folder = join(lab.scratch, `${kind} disk`);
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeFileSync(image, new Uint8Array());
    Deno.truncateSync(image, SIZE[kind] * 1024 * 1024);
    const [program, ...args] = MAKE[kind];
    await must(program!, ...args, image);
    const disk = new Disk(kind, image, folder);
    await disk.mount(image);
    return disk;
  }

  async mount(image: string): Promise<void> {
    // xfs refuses a second file system of one id while it remembers the first.
    const options = this.kind === "xfs" ? "loop,nouuid" : "loop";
    await must("mount", "-t", this.kind, "-o", options, image, this.folder);
    this.#mounted = true;
  }

  async unmount(): Promise<void> {
    if (!this.#mounted) return;
    await must("umount", this.folder);
    this.#mounted = false;
  }

  /**
   * What another program may do at any moment, and what makes the file system write all names, but
   * not all bytes: an fsync of its own file; on btrfs, which logs such a file apart, a snapshot.
   */
  async syncSomethingElse(index: number): Promise<void> {
    const other = join(this.folder, "unrelated");
    if (this.kind === "btrfs") {
      if (index === 0) await must("btrfs", "subvolume", "create", other);
      await must("btrfs", "subvolume", "snapshot", other, `${other}-${index}`);
      return;
    }
    using file = Deno.createSync(other);
    file.writeSync(new Uint8Array(4096));
    file.syncSync();
  }

  /** The image as it is now. */
  async copy(index: number): Promise<string> {
    const copy = `${this.image}.${index}`;
    await must("cp", "--sparse=always", this.image, copy);
    return copy;
  }

  async remove(): Promise<void> {
    if (this.#mounted) await run(["umount", "--lazy", this.folder]);
  }
}
