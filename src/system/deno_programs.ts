/**
 * Starting programs: by this thread or, once it is known which ones, by a Worker that has the
 * permission for exactly these, while this thread gives its own up.
 */
import { dirname } from "node:path";
import { digestAside, hashFile } from "./deno_digest.ts";
import type { Digest, DigestBehind, FileSystem } from "./file_system.ts";
import type { Account, Ended, Processes, RunResult } from "./processes.ts";

/** What can be done with a program. */
type Starter = Pick<Processes, "run" | "spawn">;

/** How programs are started here. Decided once, because only the main thread can find it out. */
export interface Surroundings {
  /**
   * A program that is run to its end does not share our terminal's Ctrl-C. Unix: a session of its own.
   * Windows: no console, and so no window either where we have none; where we have one, sharing it is
   * what opens no window, also for the programs that the program starts.
   */
  readonly ownGroup: boolean;
  /**
   * Unix: the program that ends a whole session, `kill`. The runtime's own way needs the permission to
   * run every program. Null where there is none: then only the first process of it is ended.
   */
  readonly killer: string | null;
  /** Which of our three streams are a terminal: a program that outlives us gets no other one. */
  readonly terminals: readonly [stdin: boolean, stdout: boolean, stderr: boolean];
}

/** What another process or thread does for this one. */
export type Helper = Starter & Pick<FileSystem, "digestAside" | "digestBehind">;

interface Request {
  readonly task: keyof Helper;
  readonly path: string;
  readonly args?: readonly string[];
  readonly timeoutMs?: number;
}

type Answer = { readonly result: unknown } | {
  readonly message: string;
  readonly code: string | undefined;
};

/** Of a file that grows: telling of every part would cost more than the few bytes that wait. */
const MESSAGE_STEP = 1024 * 1024;

/** The help that needs permissions of this thread's own. */
export function unconfined(surroundings: Surroundings): Helper {
  return { ...starter(surroundings), digestAside, digestBehind: () => undefined };
}

/**
 * Starts programs with the permission of its thread. Everything that it uses is within its braces,
 * because its text is what the Worker consists of: no second file to embed, find and protect.
 */
function starter({ ownGroup, killer, terminals }: Surroundings): Starter {
  const OUTPUT_LIMIT = 64 * 1024;

  /**
   * Who may run only what is on a list may give no program what makes it load others' code (`LD_*`,
   * `DYLD_*`), nor see whether there is such a thing: the refusal says so, and empty they are allowed.
   */
  function start(path: string, options: Deno.CommandOptions): Deno.ChildProcess {
    try {
      return new Deno.Command(path, options).spawn();
    } catch (error) {
      const [, names] = /subprocess with (.+) environment variable/.exec(`${error}`) ?? [];
      const loaders = names?.match(/\b(?:LD|DYLD)_\w+/g);
      if (!loaders) throw error;
      const env = Object.fromEntries(loaders.map((name) => [name, ""]));
      return new Deno.Command(path, { ...options, env }).spawn();
    }
  }

  async function run(
    path: string,
    args: readonly string[],
    timeoutMs: number,
    stop?: AbortSignal,
  ): Promise<RunResult> {
    const child = start(path, {
      args: [...args],
      detached: ownGroup,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    const output = [firstText(child.stdout), firstText(child.stderr)];
    let timedOut = false;
    const kill = () => {
      try {
        // What it has started, too. First, as long as its number cannot be another's.
        if (killer) {
          const args = ["-KILL", "--", `-${child.pid}`];
          start(killer, { args, stdin: "null", stdout: "null", stderr: "null" });
        }
        child.kill("SIGKILL");
        for (const text of output) text.stop();
      } catch {
        // It ended in the same instant.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    stop?.addEventListener("abort", kill, { once: true });
    try {
      const { code } = await child.status;
      // A grandchild may hold the pipes open for ever: what comes within a second is enough.
      const giveUp = setTimeout(() => output.forEach((text) => text.stop()), 1000);
      const [stdout = "", stderr = ""] = await Promise.all(output.map((text) => text.done));
      clearTimeout(giveUp);
      return { code, stdout, stderr, timedOut };
    } finally {
      clearTimeout(timer);
      stop?.removeEventListener("abort", kill);
    }
  }

  /** Reads to the end so that the writer never blocks, keeps the beginning. */
  function firstText(stream: ReadableStream<Uint8Array>) {
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    let kept = "";
    const done = (async () => {
      try {
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          if (kept.length < OUTPUT_LIMIT) kept += decoder.decode(part.value, { stream: true });
        }
      } catch {
        // A pipe that breaks has ended.
      }
      return kept.slice(0, OUTPUT_LIMIT);
    })();
    return { done, stop: () => void reader.cancel().catch(() => {}) };
  }

  // deno-lint-ignore require-await -- an error is a rejection, as in `run`.
  async function spawn(path: string, args: readonly string[]): Promise<void> {
    // Not our pipes: whoever reads our events waits for their end, which then were the program's.
    const [stdin = "null", stdout = "null", stderr = "null"] = terminals
      .map((its) => its ? "inherit" as const : "null" as const);
    start(path, { args: [...args], detached: true, stdin, stdout, stderr }).unref();
  }

  return { run, spawn };
}

/** See `Processes.leaveBehind`. The end of the pipe that is ours is closed by our own end. */
export function leaveBehind(path: string, commandLine: string, env: Record<string, string>): void {
  new Deno.Command(path, {
    args: [commandLine],
    windowsRawArguments: true,
    cwd: dirname(path),
    env,
    detached: true,
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn().unref();
}

/** How long the one who works for us may take to end when it is to stop. */
const STOP_MS = 30_000;
/** Whoever has the same rights can halt it (SIGSTOP); so long it stays that way. */
const HALTED_MS = 2_000;

/**
 * See `Processes.runOurselvesAs`. The runtime clears the supplementary groups where it sets a user
 * (seen with 2.6.10 and 2.9.6). Of our environment nothing is passed on: it may hold secrets, and the
 * environment of a process is its user's to read. Nor has it our terminal: whoever has the same rights
 * could take it over and type there for us (TIOCSTI), or write into our pipe what steers it.
 */
export async function runOurselvesAs(
  { uid, gid, env }: Account,
  args: readonly string[],
): Promise<Ended> {
  if (!Deno.build.standalone) throw new Error("only a compiled shim can start itself again");
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    uid,
    gid,
    env: { ...env },
    clearEnv: true,
    detached: true, // a session of its own
    stdin: Deno.stdin.isTerminal() ? "null" : "inherit",
    // Also where they are none: it is one way less.
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const tell = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It ended in the same instant.
    }
  };
  setInterval(() => tell("SIGCONT"), HALTED_MS);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      tell(signal);
      tell("SIGCONT");
      if (signal !== "SIGHUP") setTimeout(() => tell("SIGKILL"), STOP_MS);
    });
  }
  // Nobody may read it any more.
  const relay = (from: ReadableStream<BufferSource>, to: WritableStream) =>
    printable(from).pipeTo(to, { preventClose: true }).catch(() => {});
  const [{ code, signal }] = await Promise.all([
    child.status,
    relay(child.stdout, Deno.stdout.writable),
    relay(child.stderr, Deno.stderr.writable),
  ]);
  return { code, signal };
}

/** The same text without what could steer a terminal: the shim that wrote it has escaped all that. */
export function printable(from: ReadableStream<BufferSource>): ReadableStream<Uint8Array> {
  const unsafe = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
  const escape = new TransformStream<string, string>({
    transform: (text, out) => out.enqueue(text.replace(unsafe, "\uFFFD")),
  });
  return from.pipeThrough(new TextDecoderStream()).pipeThrough(escape)
    .pipeThrough(new TextEncoderStream());
}

/** The Worker's side. Its text, too, is all that the Worker gets. */
function serve({ run, spawn }: Starter, hash: typeof hashFile): void {
  addEventListener("message", async (event) => {
    const { data, ports } = event as MessageEvent<Request>;
    const { task, path, args = [], timeoutMs = 0 } = data;
    const port = ports[0]!;
    const stop = new AbortController();
    const said: (number | null)[] = [];
    let wake = () => {};
    port.onmessage = ({ data }) => {
      if (data === "stop") return stop.abort();
      said.push(data);
      wake();
    };
    const next = async () => {
      while (said.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return said.shift()!;
    };
    const tasks = {
      run: () => run(path, args, timeoutMs, stop.signal),
      spawn: () => spawn(path, args),
      digestAside: () => hash(path),
      digestBehind: () => hash(path, next),
    };
    let answer: Answer;
    try {
      answer = { result: await tasks[task]() };
    } catch (error) {
      // Cloned, an error would lose the system's code.
      const { message, code } = error as { message: string; code?: string };
      answer = { message, code };
    }
    port.postMessage(answer);
    port.close();
  });
}

/**
 * Gives up this thread's permission to run programs and to open libraries (which could start them,
 * too) for a Worker that may run and read `programs`, by these very paths, read what is below
 * `readable`, and do nothing else. Deno
 * can neither narrow a permission to a list nor get it back: a new Worker is the only way to a list
 * that is not known when the shim is compiled, and this cannot be undone.
 *
 * A Worker costs 18 ms and 15 MB: this one is also the thread that hashes files meanwhile.
 */
export function confinedTo(
  programs: readonly string[],
  readable: string,
  surroundings: Surroundings,
): Helper {
  const text = `(${serve})((${starter})(${JSON.stringify(surroundings)}),${hashFile})`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(text)}`, {
    type: "module",
    name: "programs",
    // What is not named here is refused.
    deno: {
      permissions: {
        run: [...programs, ...(surroundings.killer ? [surroundings.killer] : [])],
        read: [...programs, readable],
      },
    },
  });
  Deno.permissions.revokeSync({ name: "run" });
  Deno.permissions.revokeSync({ name: "ffi" });

  function ask(request: Request, stop?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { port1, port2 } = new MessageChannel();
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        reject(new Error(`the Worker that runs programs failed: ${event.message}`));
      });
      port1.onmessage = ({ data }: MessageEvent<Answer>) => {
        port1.close();
        if (!("message" in data)) return resolve(data.result);
        reject(Object.assign(new Error(data.message), { code: data.code }));
      };
      stop?.addEventListener("abort", () => port1.postMessage("stop"), { once: true });
      worker.postMessage(request, [port2]);
    });
  }

  function digestBehind(path: string): DigestBehind {
    let sent = 0, ended: Promise<Digest | undefined> | undefined;
    const { port1, port2 } = new MessageChannel();
    const done = new Promise<Digest | undefined>((resolve) => {
      worker.addEventListener("error", () => resolve(undefined));
      port1.onmessage = ({ data }: MessageEvent<Answer>) => {
        port1.close();
        resolve("message" in data ? undefined : data.result as Digest);
      };
    });
    worker.postMessage({ task: "digestBehind", path } satisfies Request, [port2]);
    return {
      reached(size) {
        if (size >= sent && size - sent < MESSAGE_STEP) return;
        port1.postMessage(sent = size);
      },
      end() {
        if (!ended) port1.postMessage(null);
        return ended ??= done;
      },
    };
  }

  return {
    digestBehind,
    run: (path, args, timeoutMs, stop) =>
      ask({ task: "run", path, args, timeoutMs }, stop) as Promise<RunResult>,
    spawn: (path, args) => ask({ task: "spawn", path, args }) as Promise<void>,
    digestAside: (path) =>
      (ask({ task: "digestAside", path }) as ReturnType<typeof hashFile>).catch(() => undefined),
  };
}
