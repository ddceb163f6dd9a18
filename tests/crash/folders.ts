/**
 * The same sweeps from folders that people make: one that two tools share, one that is moved after the
 * kill, one that is copied then. Every few points only: what an update does in them is the same.
 */
import { join } from "@std/path";
import type { Bed } from "./bed.ts";
import { errorSweep } from "./error_sweep.ts";
import { type Interrupted, killSweep } from "./kill_sweep.ts";
import { inPairs, Lab } from "./lab.ts";
import { powerCutIn } from "./power_cuts.ts";
import { must } from "./process.ts";
import { sweepOne } from "./recovery_sweep.ts";
import { OLD } from "./tools.ts";

/** A kind of folder. */
export interface Start {
  readonly name: string;
  /** Makes it what it is, before the update. */
  prepare(bed: Bed): Promise<void>;
  /** What happens to it when the update has been interrupted; where it goes on. */
  arrive(bed: Bed): Promise<Bed>;
  /** What is wrong with what nobody may touch, afterwards. */
  complaint(bed: Bed): string | undefined;
}

const OTHERS = /^(other(\.json)?|\.updater-shim\/other(\/.*)?)$/;

/** Made once, and copied for each point. */
abstract class Prepared implements Start {
  abstract readonly name: string;
  #kept: string | undefined;

  async prepare(bed: Bed): Promise<void> {
    if (this.#kept === undefined) {
      await this.make(bed);
      this.#kept = await bed.save(`start-${crypto.randomUUID()}`);
    }
    await bed.restore(this.#kept);
  }

  protected abstract make(bed: Bed): Promise<void>;
  abstract arrive(bed: Bed): Promise<Bed>;
  abstract complaint(bed: Bed): string | undefined;
}

/** Another tool, with a receipt and a rollback copy of its own: nothing of it may change. */
class TwoTools extends Prepared {
  readonly name = "in a folder of two tools";
  #other = "";

  override async prepare(bed: Bed): Promise<void> {
    await super.prepare(bed);
    bed.others = OTHERS;
    this.#other = bed.signature(true, OTHERS);
  }

  protected async make(bed: Bed): Promise<void> {
    const config = bed.path("other.json");
    Deno.writeTextFileSync(config, '{"name": "other"}');
    for (const version of ["1.0.0", "2.0.0"]) {
      const from = join(bed.folder, "fresh");
      Deno.writeTextFileSync(from, `#!/bin/sh\necho other ${version}\n`, { mode: 0o755 });
      await must(
        ...[bed.shim, "--install-dir", bed.install, "--config", config],
        ...["--from", from, "--target", "other"],
      );
    }
  }

  arrive(bed: Bed): Promise<Bed> {
    return Promise.resolve(bed);
  }

  complaint(bed: Bed): string | undefined {
    return bed.signature(true, OTHERS) === this.#other ? undefined : "the other tool was changed";
  }
}

/** The tool is the shim's own by a receipt, as after years, when its folder gets another name. */
class Moved extends Prepared {
  readonly name: string = "in a folder that was moved";

  protected async make(bed: Bed): Promise<void> {
    for (const name of ["tool", "toolx"]) {
      const from = join(bed.folder, "fresh");
      Deno.writeFileSync(from, bed.tools.get(name, OLD), { mode: 0o755 });
      const args = ["--from", from, "--target", name, "--force"];
      await must(...bed.command(...args));
    }
  }

  async arrive(bed: Bed): Promise<Bed> {
    const there = bed.in(`${bed.folder} elsewhere`);
    await must("rm", "-rf", there.folder);
    await this.bring(bed.folder, there.folder);
    return there;
  }

  protected async bring(from: string, to: string): Promise<void> {
    await must("mv", from, to);
    Deno.mkdirSync(from);
  }

  complaint(_bed: Bed): string | undefined {
    return undefined;
  }
}

/** What is done in the copy is no business of the original's. */
class Copied extends Moved {
  override readonly name = "in a copy of the folder";
  #original = "";

  override async arrive(bed: Bed): Promise<Bed> {
    this.#original = bed.signature(true);
    return await super.arrive(bed);
  }

  protected override async bring(from: string, to: string): Promise<void> {
    await must("cp", "-a", from, to);
  }

  override complaint(bed: Bed): string | undefined {
    return bed.signature(true) === this.#original ? undefined : "the original was changed";
  }
}

const KINDS = [TwoTools, Moved, Copied];

/** Kills, errors, kills of the recovery and power cuts, a few of each. */
export async function folders(lab: Lab): Promise<void> {
  await inPairs(KINDS, async (Kind) => {
    const start = new Kind(), { name } = start;
    const states: Interrupted[] = [];
    const keep = (state: Interrupted) => void states.push(state);
    await killSweep(lab, {
      name: `killed, ${name}`,
      class: "other",
      start,
      step: 4,
      least: 12,
      keep,
    });
    const recovered = lab.report.row(`recovery killed, ${name}`);
    const some = states.filter((_, index) => index % 4 === 1);
    for (const state of some) await sweepOne(lab, recovered, state, new Map(), 5);
    lab.report.close(recovered, 8);
    const errors = ["EIO"] as const;
    await errorSweep(lab, { name: `an error, ${name}`, errors, start, step: 5, least: 9 });
  });
  await using disk = await Lab.make(join(lab.scratch, "power in folders"), lab.report);
  for (const Kind of KINDS) await powerCutIn(disk, new Kind());
}
