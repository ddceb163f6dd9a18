/** The manifest that was made, read as a user's shim will read it. */
import { checkIdentity, type Manifest, parseManifest, selectFiles } from "../release/manifest.ts";
import { UpdateError } from "../base/errors.ts";
import { refuseArchive } from "../archive/kinds.ts";

/**
 * Parses the bytes and narrows them down for every platform. `location` is where they will lie.
 * Throws `usage` or `verification` as the shim would, and for what it would find out later.
 */
export function checkAsShim(bytes: Uint8Array, location: string, now: number): Manifest {
  const manifest = parseManifest(bytes, location);
  checkIdentity(manifest, { name: manifest.name, now });
  const triples = Object.keys(manifest.platforms);
  for (const triple of triples) {
    for (const { target, url, member } of selectFiles(manifest, triple, location)) {
      const refusal = refuseArchive(url, member);
      if (!refusal) continue;
      throw new UpdateError("usage", `"${target}" for ${triple}: ${refusal.problem}`, refusal);
    }
  }
  return manifest;
}
