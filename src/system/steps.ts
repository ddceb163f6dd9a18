/** The part of the seam that the platforms work with: see `platform.ts`. */
import type { FileSystem } from "./file_system.ts";
import type { Processes } from "./processes.ts";

/** Time. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some instant; never goes back. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What can be done in one step each. */
export interface Steps {
  readonly os: "linux" | "darwin" | "windows";
  readonly fs: FileSystem;
  readonly processes: Processes;
  readonly clock: Clock;
  /** `count` unpredictable bytes. */
  randomBytes(count: number): Uint8Array<ArrayBuffer>;
}
