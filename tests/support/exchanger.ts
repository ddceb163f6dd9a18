/**
 * Somebody who exchanges two names all the time, by renameat2(2) with RENAME_EXCHANGE, faster than any
 * program that looks first and acts then. Linux. A thread, because a process could not be started as
 * fast; it does nothing that the group of the folder could not do.
 */

const RENAME_EXCHANGE = 2;
const AT_FDCWD = -100;

const isWorker = typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope;

declare const WorkerGlobalScope: { new (): object };

/** Stops when it is disposed; says how often it succeeded. */
export interface Exchanger extends AsyncDisposable {
  readonly count: () => number;
}

interface Task {
  readonly one: string;
  readonly other: string;
  /** Whether to end; how often it succeeded. */
  readonly shared: Int32Array;
}

/** Starts to exchange `one` and `other`. */
export async function exchange(one: string, other: string): Promise<Exchanger> {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(import.meta.url, { type: "module" });
  worker.postMessage({ one, other, shared });
  await new Promise((resolve) => worker.onmessage = resolve);
  return {
    count: () => Atomics.load(shared, 1),
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => worker.onmessage = resolve);
      Atomics.store(shared, 0, 1);
      await ended;
      worker.terminate();
    },
  };
}

function serve(post: (what: string) => void): void {
  addEventListener("message", (event) => {
    const { one, other, shared } = (event as MessageEvent<Task>).data;
    const library = Deno.dlopen("libc.so.6", {
      renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
    });
    const path = (text: string) => new TextEncoder().encode(`${text}\0`);
    const [from, to] = [path(one), path(other)];
    post("started");
    while (Atomics.load(shared, 0) === 0) {
      const code = library.symbols.renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
      if (code === 0) Atomics.add(shared, 1, 1);
    }
    library.close();
    post("ended");
  });
}

if (isWorker) {
  serve((what) => (self as unknown as { postMessage(what: string): void }).postMessage(what));
}
