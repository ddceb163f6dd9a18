/** Where the password of a key comes from; on a build server nobody can be asked. */
import { UpdateError } from "../base/errors.ts";
import { readText } from "./folder.ts";
import type { PackSystem } from "./pack_system.ts";

/** At most one of the two is given. */
export interface PasswordSource {
  /** A file whose first line it is. */
  readonly file: string | undefined;
  /** A variable of the environment. */
  readonly variable: string | undefined;
}

/** The password that was given; undefined where none was. Throws `usage`, `filesystem`. */
export function givenPassword(
  system: PackSystem,
  { file, variable }: PasswordSource,
): string | undefined {
  if (file !== undefined) {
    const text = readText(system.fs, file);
    if (text === undefined) throw new UpdateError("usage", `There is no password file "${file}"`);
    return text.split(/\r?\n/)[0];
  }
  if (variable === undefined) return undefined;
  const value = system.env(variable);
  if (value) return value;
  throw new UpdateError("usage", `The variable ${variable} is not set, or is empty`, {
    hint: "Let the build set it from its secret store. The name is given, not the password.",
  });
}

/** The same, or what somebody at the terminal answers. Never waits where nobody is. */
export function passwordOf(system: PackSystem, source: PasswordSource, keyFile: string): string {
  const given = givenPassword(system, source);
  if (given !== undefined) return given;
  if (!system.isInteractive) {
    throw new UpdateError("usage", `The key "${keyFile}" has a password, and nobody can be asked`, {
      hint:
        "Give it with --password-file FILE or --password-env NAME. Or sign later, by hand: minisign -S -s KEYFILE -m release.json",
    });
  }
  const answer = system.askSecret(`Password of ${keyFile}: `);
  if (answer === undefined) throw new UpdateError("interrupted", "No password was given");
  return answer;
}
