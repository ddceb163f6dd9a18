/** What stays of a run: a log for people, and its outcome for the main tool's next start. */
import { removeIfThere, replaceFileSoon, writeAll } from "../files/durable_files.ts";
import { openOrMake } from "../files/trusted_file.ts";
import type { ShimEvent } from "../base/events.ts";
import type { InstallDir } from "../installation/install_dir.ts";
import { describe } from "./reporter.ts";
import type { OpenFile } from "../system/file_system.ts";
import type { System } from "../system/system.ts";
import { visibleJson } from "./text.ts";

/** Then the log begins anew; the one before is kept as `log.txt.old`. */
const LIMIT = 1024 * 1024;

/** Lives under the lock. Nothing here ever fails a run: a full disk has no room for complaints. */
export class RunLog {
  #file: OpenFile | undefined;
  #last: ShimEvent | undefined;
  readonly #started: string;

  constructor(readonly system: System, readonly dir: InstallDir, readonly command: string) {
    this.#started = this.#now();
    this.#try(() => {
      const { fs } = system;
      this.#file = openOrMake(system, dir.log, "the log", "append");
      if (this.#file.statSync().size < LIMIT) return;
      this.#file.close();
      fs.renameSync(dir.log, `${dir.log}.old`);
      this.#file = openOrMake(system, dir.log, "the log", "append");
    });
    // A run that dies leaves no outcome behind, rather than an older run's. A repair does: most have
    // nothing to do, and then the outcome before stays for the tool to show.
    if (command !== "repair") this.#try(() => removeIfThere(system.fs, dir.lastRun));
    this.#write(`--${command}`);
  }

  /** Keeps what matters of an event. */
  add(event: ShimEvent): void {
    if (event.event === "download") return;
    this.#last = event;
    const text = describe(event)?.trimEnd() ?? visibleJson(event);
    for (const line of text.split("\n")) this.#write(line);
  }

  /** The last word. */
  finish(code: number): void {
    this.#write(`exit code ${code}`);
    this.#try(() => this.#file?.close());
    if (this.#last?.event === "nothing-to-repair") return;
    const outcome = {
      format: 1,
      command: this.command,
      started: this.#started,
      finished: this.#now(),
      code,
      outcome: this.#last ?? null,
    };
    this.#try(() => replaceFileSoon(this.system.fs, this.dir.lastRun, visibleJson(outcome) + "\n"));
  }

  #write(line: string): void {
    this.#try(() => {
      if (this.#file) writeAll(this.#file, new TextEncoder().encode(`${this.#now()} ${line}\n`));
    });
  }

  #now(): string {
    return new Date(this.system.clock.now()).toISOString();
  }

  #try(step: () => void): void {
    try {
      step();
    } catch {
      // See above.
    }
  }
}
