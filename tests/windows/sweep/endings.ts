/** File systems that end the program, or pretend to, at the n-th step that changes something. */
import { type Fault, FaultyFileSystem } from "../../support/faulty_file_system.ts";
import type { FileSystem, OpenFile } from "../../../src/system/file_system.ts";

/** Steps that are no-ops on Windows. */
const NO_STEP = ["syncDirectory"];

/** Counts steps, and calls `atEnd` in place of the n-th. */
export class StepCounter {
  steps = 0;
  /** What they were. */
  readonly names: string[] = [];

  constructor(readonly n: number, readonly atEnd: (step: string, path: string) => void) {}

  /** To be given to a `FaultyFileSystem`. */
  readonly fault: Fault = (step, path) => {
    if (NO_STEP.includes(step)) return;
    this.steps++;
    this.names.push(`${step} ${path}`);
    if (this.steps >= this.n) this.atEnd(step, path);
  };
}

/** Ends this process as TerminateProcess does: nothing of it runs on. */
export function dieAt(fs: FileSystem, n: number) {
  const counter = new StepCounter(n, (step, path) => {
    Deno.stdout.writeSync(new TextEncoder().encode(`killed before ${step} ${path}\n`));
    Deno.kill(Deno.pid, "SIGKILL");
  });
  return { fs: new FaultyFileSystem(fs, counter.fault), counter };
}

/** Thrown where a program would have ended. */
export class Ended extends Error {}

/**
 * The same disk without the price of a process: from the n-th step on nothing changes any more.
 * `end` closes what the program had open, as its end would.
 */
export function freezeAt(fs: FileSystem, n: number) {
  const open = new Set<OpenFile>();
  const counter = new StepCounter(n, () => {
    throw new Ended("the program would have ended here");
  });
  const frozen = new class extends FaultyFileSystem {
    override openSync(path: string, options: Deno.OpenOptions): OpenFile {
      const file = super.openSync(path, options);
      open.add(file);
      return file;
    }
  }(fs, counter.fault);
  const end = () => {
    for (const file of open) {
      try {
        file.close();
      } catch {
        // It was closed by the program.
      }
    }
  };
  return { fs: frozen, counter, end };
}
