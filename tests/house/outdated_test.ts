/** What is pinned is found wherever it stands, and replaced there and nowhere else. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { pinnedFiles, pinsIn, update } from "../../.ci/outdated.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const DIGEST = "0".repeat(40);
const TEXT = `
  "@std/path": "npm:deno-std@1.4.0/path/mod.js", "x": "npm:@scope/x-y@1.0.0",
  "@std/cli": "jsr:@std/cli@1.0.32/parse-args"
  npx -y deno@2.9.6 task test and @deno/linux-x64-glibc@2.9.6, deno@2.6.8
  DENO_VERSION: 2.9.6
  - uses: actions/checkout@${"a".repeat(40)} # v6.1.0
`;

Deno.test("every kind of pin is found", () => {
  assertEquals(pinsIn(TEXT).map(({ kind, name, version }) => `${kind} ${name} ${version}`), [
    "deno deno 2.9.6",
    "deno deno 2.6.8",
    "npm deno-std 1.4.0",
    "npm @scope/x-y 1.0.0",
    "jsr @std/cli 1.0.32",
    "action actions/checkout 6.1.0",
  ]);
});

Deno.test("a newer version takes the place of the pinned one, of an action its digest too", () => {
  const deno = update(TEXT, { kind: "deno", name: "deno", version: "2.9.6" }, {
    version: "2.10.0",
  });
  assertEquals(
    deno,
    TEXT.replace("-y deno@2.9.6", "-y deno@2.10.0").replace("VERSION: 2.9.6", "VERSION: 2.10.0"),
  );
  const npm = update(TEXT, { kind: "npm", name: "deno-std", version: "1.4.0" }, {
    version: "1.5.0",
  });
  assertEquals(npm, TEXT.replace("deno-std@1.4.0", "deno-std@1.5.0"));
  const action = { kind: "action", name: "actions/checkout", version: "6.1.0" } as const;
  assertStringIncludes(
    update(TEXT, action, { version: "7.0.0", digest: DIGEST }),
    `actions/checkout@${DIGEST} # v7.0.0`,
  );
});

Deno.test("what is pinned in several places is the same version in all of them", () => {
  const texts = pinnedFiles().map((path) => Deno.readTextFileSync(join(ROOT, path)));
  const pins = pinsIn(texts.join("\n"));
  const names = pins.map(({ kind, name }) => `${kind} ${name}`);
  assertEquals(names.filter((name, at) => names.indexOf(name) !== at), []);
  assertEquals(names.length > 15, true);
});
