/** `--new-key`: a key pair as `minisign -G` makes it. */
import { UpdateError } from "../base/errors.ts";
import { isThere } from "../files/durable_files.ts";
import type { PasswordSource } from "./password.ts";
import { givenPassword } from "./password.ts";
import type { PackSystem } from "./pack_system.ts";
import { generateKey, publicKeyLine, writeSecretKey } from "./secret_key.ts";
import { writeFile } from "./write_file.ts";
import { parsePublicKey } from "../release/minisign.ts";

/**
 * Writes `file` (mode 0600; encrypted if a password is given) and the public key beside it,
 * `mytool.pub` for `mytool.key`. Never replaces a file. Throws `usage`, `filesystem`.
 */
export async function makeNewKey(
  system: PackSystem,
  { file, password }: { readonly file: string; readonly password: PasswordSource },
): Promise<void> {
  const { fs, terminal, randomBytes } = system;
  if (/\.pub$/i.test(file)) {
    throw new UpdateError(
      "usage",
      `"${file}" is no name for a secret key: what is public is called so`,
      {
        path: file,
        hint: "Call it mytool.key: the public key beside it becomes mytool.pub.",
      },
    );
  }
  const publicFile = `${file.replace(/\.key$/, "")}.pub`;
  for (const path of [file, publicFile]) {
    if (!isThere(fs, path)) continue;
    throw new UpdateError("usage", `"${path}" is there already, and a key is never replaced`, {
      path,
      hint: "Choose another name, or move the old key away if nobody's tool trusts it.",
    });
  }
  const secret = givenPassword(system, password);
  const key = await generateKey(randomBytes(8));
  const line = publicKeyLine(key);
  const { keyId } = parsePublicKey(line);
  writeFile(fs, file, writeSecretKey(key, secret, randomBytes(32)), 0o600);
  writeFile(fs, publicFile, `untrusted comment: minisign public key ${keyId}\n${line}\n`, 0o644);
  terminal.out(
    `Wrote ${file} (secret${
      secret === undefined ? ", without a password" : ""
    }: keep it, and a copy of it) and ${publicFile}.\n` +
      `In the tool's updater-shim.json: "publicKeys": ["${line}"]\n`,
  );
}
