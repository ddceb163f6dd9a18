/** The manifest that was made, read as a user's shim will read it. */
import { checkIdentity, type Manifest, parseManifest, selectFiles } from "../release/manifest.ts";

/**
 * Parses the bytes and narrows them down for every platform. `location` is where they will lie.
 * Throws `usage` or `verification` as the shim would, and for what it would find out later.
 */
export function checkAsShim(bytes: Uint8Array, location: string, now: number): Manifest {
  const manifest = parseManifest(bytes, location);
  checkIdentity(manifest, { name: manifest.name, now });
  for (const triple of Object.keys(manifest.platforms)) {
    selectFiles(manifest, triple, location);
  }
  return manifest;
}
