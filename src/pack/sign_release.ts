/** `--sign`. */
import { UpdateError } from "../base/errors.ts";
import { parsePublicKey } from "../release/minisign.ts";
import type { Manifest } from "../release/manifest.ts";
import { readText } from "./folder.ts";
import type { SigningOptions } from "./pack_command.ts";
import type { PackSystem } from "./pack_system.ts";
import { passwordOf } from "./password.ts";
import { isEncrypted, openSecretKey, publicKeyLine } from "./secret_key.ts";
import { signDocument } from "./sign.ts";
import { writeFile } from "./write_file.ts";

/** Writes `<manifest>.minisig` and returns the id of the key; null where nothing is to be signed. */
export async function signIfAsked(
  system: PackSystem,
  path: string,
  document: Uint8Array,
  { name, version, published }: Manifest,
  { keyFile, password }: SigningOptions,
): Promise<string | null> {
  if (keyFile === undefined) return null;
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
