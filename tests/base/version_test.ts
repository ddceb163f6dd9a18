import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { UpdateError } from "../../src/base/errors.ts";
import { compareVersions, decideVersion, isVersion, VERSION } from "../../src/base/version.ts";

/** Two contents of a release. */
const A = "a".repeat(64), B = "b".repeat(64);

interface Case {
  readonly installed: string | null;
  /** Content of the installed release; null: no receipt says so. */
  readonly content?: string | null;
  readonly highest?: string;
  readonly highestContent?: string;
  readonly offered: string;
  readonly flags?: ("downgrade" | "force" | "incomplete")[];
  /** A regular expression: refused with such a message. */
  readonly then: "update" | "up-to-date" | RegExp;
}

const OLDER = /is older than the installed version/;
const OLDER_THAN_SEEN = /is older than the highest seen version/;
const CHANGED = /has other bytes than the installed version/;
const CHANGED_SINCE_SEEN = /has other bytes than the highest seen version/;

/** What is offered has content A. */
const CASES: Record<string, Case[]> = {
  "A newer version is installed": [
    { installed: "1.0.0", offered: "1.0.1", then: "update" },
    { installed: "1.9.0", offered: "1.10.0", then: "update" },
    { installed: "2.0.0-rc.9", offered: "2.0.0-rc.10", then: "update" },
    { installed: "2.0.0-rc.1", offered: "2.0.0", then: "update" },
    { installed: "1.0.0", highest: "1.0.0", offered: "2.0.0", then: "update" },
    { installed: "1.0.0", offered: "2.0.0", flags: ["downgrade", "force"], then: "update" },
  ],
  "Where nothing is known to be installed, anything is": [
    { installed: null, offered: "0.0.1", then: "update" },
    { installed: "built from source", offered: "0.0.1", then: "update" },
  ],
  "The installed version is up to date": [
    { installed: "1.0.0", offered: "1.0.0", then: "up-to-date" },
    { installed: "1.0.0", content: null, offered: "1.0.0", then: "up-to-date" },
    { installed: "1.0.0", highest: "1.0.0", offered: "1.0.0", then: "up-to-date" },
    { installed: "1.0.0", offered: "1.0.0", flags: ["downgrade"], then: "up-to-date" },
    { installed: "1.0.0", offered: "1.0.0", flags: ["force"], then: "update" },
    { installed: "1.0.0", offered: "1.0.0", flags: ["incomplete"], then: "update" },
  ],
  "An older version is a downgrade": [
    { installed: "1.0.1", offered: "1.0.0", then: OLDER },
    { installed: "2.0.0", offered: "2.0.0-rc.1", then: OLDER },
    { installed: "1.0.1", content: null, offered: "1.0.0", then: OLDER },
    { installed: "1.0.1", offered: "1.0.0", flags: ["force"], then: OLDER },
    { installed: "1.0.1", offered: "1.0.0", flags: ["incomplete"], then: OLDER },
    { installed: "1.0.1", offered: "1.0.0", flags: ["downgrade"], then: "update" },
  ],
  "The highest version ever seen is a floor, whatever is installed": [
    { installed: "1.0.0", highest: "3.0.0", offered: "2.0.0", then: OLDER_THAN_SEEN },
    { installed: null, highest: "3.0.0", offered: "2.0.0", then: OLDER_THAN_SEEN },
    { installed: "unknown", highest: "3.0.0", offered: "2.0.0", then: OLDER_THAN_SEEN },
    { installed: "1.0.0", highest: "3.0.0", offered: "1.0.0", then: OLDER_THAN_SEEN },
    {
      installed: "1.0.0",
      highest: "3.0.0",
      offered: "2.0.0",
      flags: ["force"],
      then: OLDER_THAN_SEEN,
    },
    {
      installed: "1.0.0",
      highest: "3.0.0",
      offered: "2.0.0",
      flags: ["downgrade"],
      then: "update",
    },
  ],
  "After a rollback the highest version may come again": [
    { installed: "1.0.0", highest: "2.0.0", offered: "2.0.0", then: "update" },
    { installed: null, highest: "2.0.0", offered: "2.0.0", then: "update" },
  ],
  "An equal version with other bytes is refused without --force": [
    { installed: "1.0.0", content: B, offered: "1.0.0", then: CHANGED },
    { installed: "1.0.0", content: B, offered: "1.0.0", flags: ["downgrade"], then: CHANGED },
    { installed: "1.0.0", content: B, offered: "1.0.0", flags: ["incomplete"], then: CHANGED },
    { installed: "1.0.0", content: B, offered: "1.0.0", flags: ["force"], then: "update" },
    {
      installed: "1.0.0",
      highest: "2.0.0",
      highestContent: B,
      offered: "2.0.0",
      then: CHANGED_SINCE_SEEN,
    },
    {
      installed: "1.0.0",
      highest: "2.0.0",
      highestContent: B,
      offered: "2.0.0",
      flags: ["force"],
      then: "update",
    },
  ],
  "Build metadata makes no version newer": [
    { installed: "1.0.0+1", offered: "1.0.0+2", then: "up-to-date" },
    { installed: "1.0.0+2", offered: "1.0.0+1", then: "up-to-date" },
    { installed: "1.0.0+1", content: B, offered: "1.0.0+2", then: CHANGED },
  ],
};

for (const [promise, cases] of Object.entries(CASES)) {
  Deno.test(promise, () => {
    for (const it of cases) {
      const { installed, content = A, highest, highestContent = A, offered, flags = [], then } = it;
      const decide = () =>
        decideVersion(
          { version: installed, release: installed === null ? null : content },
          highest === undefined ? null : { version: highest, release: highestContent },
          { version: offered, release: A },
          {
            allowDowngrade: flags.includes("downgrade"),
            force: flags.includes("force"),
            incomplete: flags.includes("incomplete"),
          },
        );
      const what = JSON.stringify(it);
      if (typeof then === "string") {
        assertEquals(decide(), then, what);
      } else {
        const error = assertThrows(decide, UpdateError) as UpdateError;
        assertEquals(error.exitCode, 4, what);
        assertMatch(error.message, then, what);
        assertMatch(error.hint!, then.source.includes("older") ? /--allow-downgrade/ : /--force/);
      }
    }
  });
}

Deno.test("Versions are ordered as semver.org orders them", () => {
  // The order of its section 11, and numbers that text would order the other way.
  const order =
    "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 " +
    "1.0.0-rc.1 1.0.0-rc.2e9 1.0.0-rc.3a 1.0.0 1.0.2 1.0.10 1.2.0 1.10.0 2.0.0 10.0.0";
  const versions = order.split(" ");
  versions.forEach((a, i) =>
    versions.forEach((b, j) => assertEquals(Math.sign(compareVersions(a, b)), Math.sign(i - j)))
  );
});

Deno.test("Only one spelling of a version is a version", () => {
  const good = [
    "0.0.0",
    "1.4.0",
    "1.4.0-rc.1",
    "1.4.0-nightly.12e4567",
    "1.4.0-1e3",
    "1.4.0--",
    "1.4.0+build.5",
    "1.4.0-a.b+c.d-e",
  ];
  for (const text of good) assert(isVersion(text), text);
  const bad = [
    ...["", "1", "1.4", "1.4.0.0", "v1.4.0", "V1.4.0", "=1.4.0", "^1.4.0", "1.x.0", "latest"],
    ...[
      " 1.4.0",
      "1.4.0 ",
      "1.4.0\n",
      "01.4.0",
      "1.04.0",
      "1.4.0-01",
      "1.4.0-",
      "1.4.0+",
      "1.4.0-a..b",
    ],
    // Beyond what a number holds exactly: would be compared as text.
    ...["9007199254740992.0.0", "1.0.0-9007199254740992", `1.0.0-${"9".repeat(300)}`],
    ...["1.4.0-ä", "１.4.0", "1.4.0\u0000"],
  ];
  for (const text of bad) assert(!isVersion(text), JSON.stringify(text));
});

Deno.test("The shim's own version is a version, and that of deno.json", () => {
  assert(isVersion(VERSION));
  assertEquals(VERSION, config.version);
});
