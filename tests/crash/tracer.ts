/** `faultat.c`, compiled for this run, and its log. */
import { fromFileUrl, join } from "@std/path";
import { TextLineStream } from "@std/streams/text-line-stream";
import { must, run } from "./process.ts";

/** A system call that changed something. */
export interface Call {
  /** From 1, over all. */
  readonly number: number;
  readonly class: "other" | "write";
  /** From 1, within the class. */
  readonly inClass: number;
  readonly kind: string;
  readonly paths: readonly string[];
}

/** What happens to the program. */
export interface Trace {
  /** Only calls that touch these folders count. */
  readonly folders: readonly string[];
  /** Which calls `at` counts; default: other. */
  readonly class?: "other" | "write" | "any";
  /** The n-th call. */
  readonly at?: number;
  /** `kill`, `stop`, or the name of an error. */
  readonly action?: string;
  /** `KIND=ERROR`: each call of that kind fails. */
  readonly fail?: readonly string[];
  /** Each call of that kind is skipped. */
  readonly skip?: readonly string[];
}

/** How it ended; `killed` by the trace. */
export interface Traced {
  readonly code: number;
  readonly killed: boolean;
  readonly output: string;
  readonly calls: readonly Call[];
}

const KILLED = 99;
const OWN_ERROR = 98;

/** Traces programs; safe to be used by several sweeps at once. */
export class Tracer {
  #logs = 0;

  private constructor(readonly program: string, readonly scratch: string) {}

  /** Compiles it. */
  static async make(scratch: string): Promise<Tracer> {
    const program = join(scratch, "faultat");
    const source = fromFileUrl(new URL("faultat.c", import.meta.url));
    await must("gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, source);
    return new Tracer(program, scratch);
  }

  /** Runs a command to its end. */
  async trace(trace: Trace, command: readonly string[]): Promise<Traced> {
    const log = this.#newLog();
    const { code, stderr } = await run(this.#command(trace, log, command));
    if (code === OWN_ERROR) throw new Error(stderr);
    const calls = readLog(log);
    Deno.removeSync(log);
    return { code, killed: code === KILLED, output: stderr, calls };
  }

  /** Runs a command and holds it before each call, from the first one that counts on. */
  async *stops(trace: Trace, command: readonly string[]): AsyncGenerator<string> {
    const log = this.#newLog();
    const [program, ...args] = this.#command({ ...trace, action: "stop" }, log, command);
    const child = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const go = child.stdin.getWriter();
    try {
      const lines = child.stdout.pipeThrough(new TextDecoderStream())
        .pipeThrough<string>(new TextLineStream());
      for await (const line of lines) {
        yield line;
        await go.write(new TextEncoder().encode("\n"));
      }
    } finally {
      await go.close().catch(() => {});
      await child.status;
      Deno.removeSync(log);
    }
  }

  #newLog(): string {
    return join(this.scratch, `calls-${++this.#logs}`);
  }

  #command(trace: Trace, log: string, command: readonly string[]): string[] {
    return [
      this.program,
      ...trace.folders.flatMap((folder) => ["-d", folder]),
      ...["-l", log, "-c", trace.class ?? "other", "-n", String(trace.at ?? 0)],
      ...(trace.action ? ["-a", trace.action] : []),
      ...(trace.fail ?? []).flatMap((rule) => ["-f", rule]),
      ...(trace.skip ?? []).flatMap((kind) => ["-s", kind]),
      "--",
      ...command,
    ];
  }
}

function readLog(path: string): Call[] {
  return Deno.readTextFileSync(path).split("\n").filter(Boolean).map((line) => {
    const [number, kindOfCall, inClass, kind, ...paths] = line.split("\t");
    return {
      number: Number(number),
      class: kindOfCall as Call["class"],
      inClass: Number(inClass),
      kind: kind!,
      paths: paths.filter(Boolean),
    };
  });
}
