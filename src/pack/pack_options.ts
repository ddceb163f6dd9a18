/** Every option of `updater-shim-pack`, and the help that is made of them. */

/** One option, in the order of the help. */
interface Spec {
  readonly name: string;
  /** None: a switch. */
  readonly value?: string;
  readonly many?: boolean;
  readonly help: string;
  readonly group: "Instead of a folder" | "The release" | "Its files" | "Signing";
}

const text = (
  group: Spec["group"],
  name: string,
  value: string,
  help: string,
  many = false,
): Spec => ({ group, name, value, help, many });

/** Every option there is. */
export const PACK_OPTIONS: readonly Spec[] = [
  text("Instead of a folder", "github", "OWNER/REPO@TAG", "A release that is on GitHub already"),
  {
    group: "Instead of a folder",
    name: "merge",
    help: "Make one of several manifests: A.json B.json",
  },
  text("Instead of a folder", "lint", "URL|PATH", "Check a published release as a shim sees it"),
  text(
    "Instead of a folder",
    "new-key",
    "FILE",
    "Make a key pair: mytool.key makes mytool.pub, too",
  ),
  text("The release", "url", "BASE", "Where the files will be; default: beside it"),
  text("The release", "name", "NAME", "The tool's name, where the build does not say it"),
  text("The release", "version", "VERSION", "Its version, where the build does not say it"),
  text("The release", "expires", "400d|TIME", "After this no shim takes the manifest any more"),
  text(
    "The release",
    "published",
    "now|TIME",
    "Written down; default: SOURCE_DATE_EPOCH or nothing",
  ),
  text("The release", "rollout", "PERCENT", "Offer it to so many installations"),
  text("The release", "notes", "URL|LINE", "What is new"),
  text("The release", "homepage", "URL", "Where messages send people"),
  text("The release", "output", "FILE", "Default: release.json in the folder"),
  text("Its files", "executable", "NAME", "One that belongs to the tool; may be repeated", true),
  text("Its files", "exclude", "PATTERN", "Files to leave out, with *; may be repeated", true),
  text("Its files", "platform", "FILE=TRIPLES", "What a file is for; may be repeated", true),
  text("Its files", "previous", "FOLDER|URL", "An older release, to make patches from", true),
  text("Signing", "sign", "KEYFILE", "Write FILE.minisig with this minisign key"),
  text("Signing", "password-file", "FILE", "The key's password is its first line"),
  text("Signing", "password-env", "NAME", "The key's password is in this variable"),
  text(
    "Signing",
    "public-key",
    "KEY",
    "With --lint: whose signature; may be repeated",
    true,
  ),
  text(
    "Instead of a folder",
    "github-api",
    "URL",
    "Of an own GitHub; default: https://api.github.com",
  ),
];

/** At most 80 columns wide. */
export function packUsage(): string {
  const groups = [...new Set(PACK_OPTIONS.map(({ group }) => group))].map((group) => {
    const rows = PACK_OPTIONS.filter((option) => option.group === group).map((option) =>
      `  ${`--${option.name}${option.value ? ` ${option.value}` : ""}`.padEnd(26)} ${option.help}\n`
    );
    return `\n${group}:\n${rows.join("")}`;
  });
  return `updater-shim-pack makes the release manifest of a tool out of what its build
left in a folder: by dist, by GoReleaser, or by anything else.

Usage:
  updater-shim-pack FOLDER... [--url BASE] [--sign KEYFILE] [options]
  updater-shim-pack --github OWNER/REPO@TAG [options]
  updater-shim-pack --merge A.json B.json [--sign KEYFILE]
  updater-shim-pack --lint URL|PATH [--public-key KEY]
  updater-shim-pack --new-key FILE
  updater-shim-pack --help | --version
${groups.join("")}
Exit codes: 0 done, 1 a fault of its own, 2 usage or not clear, 3 network,
4 a user's shim would refuse it, 7 file system, 130 interrupted.
`;
}
