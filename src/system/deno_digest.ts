/** A second thread that hashes a file. A part of `deno_system.ts`. */
import type { Digest } from "./file_system.ts";

/**
 * Digest of a whole file, taken while this thread does something else; undefined if that could not
 * be done. Two digests of large files at once take the time of one.
 */
export function digestAside(path: string): Promise<Digest | undefined> {
  const code = `(${hashFile})(${
    JSON.stringify(path)
  }).then(postMessage, () => postMessage(undefined))`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
  const { promise, resolve } = Promise.withResolvers<Digest | undefined>();
  // A message that is undefined arrives as null.
  worker.onmessage = ({ data }) => resolve(data ?? undefined);
  worker.onerror = (event) => {
    // Else it would end the program.
    event.preventDefault();
    resolve(undefined);
  };
  return promise.finally(() => worker.terminate());
}

/**
 * Runs in the other thread, from its own text: nothing from outside of it can be used. While `next` says
 * how far the file is written, it reads that far; then all that is left.
 */
export async function hashFile(path: string, next?: () => Promise<number | null>): Promise<Digest> {
  const { createHash } = await import("node:crypto");
  // Reads that wait for no other thread: a third faster.
  const { closeSync, openSync, readSync } = await import("node:fs");
  const buffer = new Uint8Array(256 * 1024);
  let hash = createHash("sha256"), size = 0;
  let file: number | undefined;
  const close = () => file !== undefined && closeSync(file);
  const read = (end: number) => {
    if (size >= end) return;
    file ??= openSync(path, "r");
    while (size < end) {
      const count = readSync(file, buffer, 0, Math.min(buffer.length, end - size), size);
      if (count === 0) return;
      hash.update(buffer.subarray(0, count));
      size += count;
    }
  };
  try {
    for (let end = await next?.(); typeof end === "number"; end = await next?.()) {
      if (end < size) {
        close();
        file = undefined;
        hash = createHash("sha256");
        size = 0;
      }
      read(end);
    }
    read(Infinity);
    return { size, sha256: hash.digest("hex") };
  } finally {
    // Not left to the end of the thread: on Windows an open file may be in the way of its renaming.
    close();
  }
}
