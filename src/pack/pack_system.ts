/** What `updater-shim-pack` needs of the world besides what the shim needs. */
import type { System } from "../system/system.ts";

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
}
