/** What the author says and the files do not bear out: perhaps meant so, perhaps mistyped. */
import { visible } from "../output/text.ts";
import type { Layout } from "./layout.ts";
import type { ReleaseOptions } from "./pack_command.ts";
import type { PackSystem } from "./pack_system.ts";
import { patternOf } from "./read_layout.ts";

/** Says so; it goes on. */
export function warnOfWishes(
  { exclude, name, version }: ReleaseOptions,
  layouts: readonly Layout[],
  terminal: PackSystem["terminal"],
): void {
  const warn = (text: string) => terminal.err(`updater-shim-pack: warning: ${visible(text)}\n`);
  const files = layouts.flatMap(({ artifacts, unused }) =>
    [...artifacts, ...unused].map((file) => file.name)
  );
  for (const pattern of exclude) {
    if (!files.some((file) => patternOf(pattern).test(file))) {
      warn(`--exclude "${pattern}" is the name of no file: nothing was left out by it`);
    }
  }
  const plain = version?.replace(/^v(?=\d)/, "");
  for (const said of new Set(layouts.map(({ version }) => version))) {
    // `1.4` of 1.4.0, and `2026.07.1` of 2026.7.1, are the same.
    if (said === undefined || plain === undefined || isBeginning(said, plain)) continue;
    warn(`--version is ${plain}, and the files are of ${said}: are they of an older build?`);
  }
  const known = layouts.flatMap(({ artifacts, name }) => [
    ...artifacts.map((artifact) => artifact.name),
    ...(name === undefined ? [] : [name]),
  ]);
  if (name !== undefined && known.length > 0 && !known.some((file) => file.includes(name))) {
    warn(`--name is "${name}", which no file has in its name`);
  }
}

function isBeginning(said: string, version: string): boolean {
  const plain = said.replace(/^v(?=\d)/, "").replace(/(?<!\d)0+(?=\d)/g, "");
  return plain === version || version.startsWith(`${plain}.`);
}
