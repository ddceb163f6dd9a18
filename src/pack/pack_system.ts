/** What `updater-shim-pack` needs of the world besides what the shim needs. */
import type { MadePatch, NoPatch } from "../patch/make_patch.ts";
import type { System } from "../system/system.ts";

/** The files of one patch, all absolute; `outFile` must not exist. */
export interface PatchJob {
  readonly oldFile: string;
  readonly newFile: string;
  readonly outFile: string;
  /** Bytes that are downloaded without the patch. */
  readonly fullSize: number;
}

/** What became of it. */
export type PatchResult = MadePatch | NoPatch;

/** The shim's seam, and more. `deno_pack_system.ts` is the real one. */
export interface PackSystem extends System {
  /** A variable of the environment. */
  env(name: string): string | undefined;
  /** Whether somebody sits at a terminal and can be asked. */
  readonly isInteractive: boolean;
  /** Asks for a line that is not shown while it is typed; undefined if that was given up. */
  askSecret(question: string): string | undefined;
  /** A new folder for temporary files, which the caller removes. */
  makeScratch(): string;
  /** Makes patches, several at once where that is possible; the results in the order of the jobs. */
  makePatches(jobs: readonly PatchJob[], signal: AbortSignal): Promise<readonly PatchResult[]>;
}
