/** The manifest that was made, read as a user's shim will read it. */
import { UpdateError } from "../base/errors.ts";
import { checkIdentity, type Manifest, parseManifest, selectFiles } from "../release/manifest.ts";

/**
 * Parses the bytes and narrows them down for every platform. `location` is where they will lie.
 * Throws `usage` or `verification` as the shim would, and for what it would find out later.
 */
export function checkAsShim(bytes: Uint8Array, location: string, now: number): Manifest {
  const manifest = parseOwn(bytes, location);
  checkIdentity(manifest, { name: manifest.name, now });
  for (const triple of Object.keys(manifest.platforms)) {
    selectFiles(manifest, triple, location);
  }
  return manifest;
}

/** What is wrong is the author's to change, and nobody else's. */
function parseOwn(bytes: Uint8Array, location: string): Manifest {
  try {
    return parseManifest(bytes, location);
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    throw new UpdateError("usage", `A shim would refuse this manifest: ${error.message}`, {
      path: location,
      hint: "Give another value for it (see --help), or change it in the build.",
      cause: error,
    });
  }
}
