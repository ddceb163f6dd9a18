/** `--sign`. */
import { UpdateError } from "../base/errors.ts";
import { isThere } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import { visible } from "../output/text.ts";
import { parsePublicKey } from "../release/minisign.ts";
import type { Manifest } from "../release/manifest.ts";
import { readText } from "./folder.ts";
import type { SigningOptions } from "./pack_command.ts";
import type { PackSystem } from "./pack_system.ts";
import { passwordOf } from "./password.ts";
import { isEncrypted, openSecretKey, publicKeyLine } from "./secret_key.ts";
import { signDocument } from "./sign.ts";
import { writeFile } from "./write_file.ts";

/**
 * Writes `<manifest>.minisig` and returns the id of the key. Null where nothing is to be signed: then
 * an older signature, which is of another manifest, is removed.
 */
export async function signIfAsked(
  system: PackSystem,
  path: string,
  document: Uint8Array,
  { name, version, published }: Manifest,
  { keyFile, password }: SigningOptions,
): Promise<string | null> {
  if (keyFile === undefined) {
    removeOldSignature(system, `${path}.minisig`);
    return null;
  }
  const text = readText(system.fs, keyFile);
  if (text === undefined) {
    throw new UpdateError("usage", `There is no key file "${keyFile}"`, {
      path: keyFile,
      hint: "Make one, once: updater-shim-pack --new-key mytool.key",
    });
  }
  const secret = isEncrypted(text) ? passwordOf(system, password, keyFile) : undefined;
  const key = openSecretKey(text, secret);
  // Without a time: the same release is to have the same signature.
  const comment = [`${name} ${version}`, published, "file:release.json"].filter(Boolean);
  writeFile(
    system.fs,
    `${path}.minisig`,
    await signDocument(document, key, comment.join("\t")),
    0o644,
  );
  return parsePublicKey(publicKeyLine(key)).keyId;
}

function removeOldSignature({ fs, terminal }: PackSystem, path: string): void {
  if (!isThere(fs, path)) return;
  onFile("remove", path, () => fs.removeSync(path));
  terminal.out(`Removed ${visible(path)}: it was of the manifest before.\n`);
}
