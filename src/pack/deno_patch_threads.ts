/**
 * Patches in several threads: making one keeps a processor busy for seconds. A thread is the program
 * itself, started as a Worker, so that a compiled program needs no second file.
 */
import { denoSystem } from "../system/deno_system.ts";
import { makePatch } from "../patch/make_patch.ts";
import type { PatchJob, PatchResult } from "./pack_system.ts";

/** Each needs up to seven times the size of an executable in memory. */
const MOST = 4;

/** What a thread answers. */
type Answer = { readonly result: PatchResult } | { readonly failure: string };

/** What a thread has and a program has not. */
interface ThreadScope {
  onmessage: ((event: MessageEvent<PatchJob>) => void) | null;
  postMessage(answer: Answer): void;
}

/** Whether this is such a thread. */
export function isPatchThread(): boolean {
  return "DedicatedWorkerGlobalScope" in globalThis;
}

/** Makes what it is asked for, one patch after the other. */
export function servePatches(): void {
  const scope = globalThis as unknown as ThreadScope;
  scope.onmessage = async ({ data }) => {
    let answer: Answer;
    try {
      answer = { result: await makeOne(data) };
    } catch (error) {
      answer = { failure: error instanceof Error ? error.message : String(error) };
    }
    scope.postMessage(answer);
  };
}

/** By this thread. */
export function makeOne(job: PatchJob): Promise<PatchResult> {
  const { oldFile, newFile, outFile, fullSize } = job;
  return makePatch(oldFile, newFile, outFile, { fs: denoSystem.fs, fullSize });
}

/** By as many threads as there are processors; `program` is the URL of the main module. */
export async function makeInThreads(
  program: string,
  jobs: readonly PatchJob[],
  signal: AbortSignal,
): Promise<readonly PatchResult[]> {
  const results: PatchResult[] = [];
  const queue = jobs.entries();
  const count = Math.min(MOST, jobs.length, navigator.hardwareConcurrency);
  await Promise.all(Array.from({ length: count }, async () => {
    const worker = new Worker(program, { type: "module" });
    try {
      for (const [index, job] of queue) results[index] = await ask(worker, job, signal);
    } finally {
      worker.terminate();
    }
  }));
  return results;
}

function ask(worker: Worker, job: PatchJob, signal: AbortSignal): Promise<PatchResult> {
  const { promise, resolve, reject } = Promise.withResolvers<PatchResult>();
  worker.onmessage = ({ data }: MessageEvent<Answer>) =>
    "result" in data ? resolve(data.result) : reject(new Error(data.failure));
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  worker.postMessage(job);
  return promise.finally(() => signal.removeEventListener("abort", abort));
}
