/**
 * No regular expression in `src/` may be worse than linear: some of them see a megabyte of what a
 * server or an archive made up. All are tried, whatever they are for, so that no list can be out of
 * date; and so are the functions that see such text.
 */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { ArchiveError, MemberPolicy } from "../../src/archive/policy.ts";
import { archiveKind, refuseArchive } from "../../src/archive/kinds.ts";
import { readPax } from "../../src/archive/tar_pax.ts";
import { isMemberPath, isPlainName } from "../../src/base/file_names.ts";
import { checkUrl, isUrl, redactUrl } from "../../src/base/url_policy.ts";
import { isVersion } from "../../src/base/version.ts";
import { visible, visibleJson } from "../../src/output/text.ts";
import { resolveLocation } from "../../src/release/locations.ts";

const MEGABYTE = 1_000_000;
/** A quadratic expression is found at this length already: in seconds, not in minutes. */
const FIRST = 100_000;
/** Linear ones need a hundredth of that. */
const SLOW_MS = 3000;

/** What expressions stumble over: runs of what they repeat, with something else at the end. */
const RUNS = [
  ...'a0 .=/\\-_"\n\0\ufffd\u00e9:@(',
  "a.",
  "0.",
  "-0",
  "//",
  " .",
  "a/",
  ".previous",
  "https://",
  "1 a=",
];

/** The run on which it is too slow. */
function stumblesOver(tries: (text: string) => unknown): string | undefined {
  for (const run of RUNS) {
    for (const [length, end] of [[FIRST, ""], [FIRST, "!x"], [MEGABYTE, "\u0001"]] as const) {
      const text = run.repeat(length / run.length) + end;
      const start = performance.now();
      tries(text);
      if (performance.now() - start > SLOW_MS) return `${JSON.stringify(run)} × ${length}`;
    }
  }
}

/** Worse than linear, and what bounds the text that they see. */
const BOUNDED = new Map([
  [
    String.raw`/(?:^|[^0-9.])v?(\d+(?:\.\d+)*(?:[-+][0-9A-Za-z.+-]+)?)$/`,
    "src/pack/github.ts cuts tags to 255 characters",
  ],
]);

/** Every expression that a file has as such. */
function expressionsIn(path: string, source: string): RegExp[] {
  const plugin: Deno.lint.Plugin = {
    name: "collect",
    rules: {
      expressions: {
        create: (context) => ({
          Literal(node) {
            const text = context.sourceCode.getText(node);
            if (text.startsWith("/")) context.report({ node, message: text });
          },
        }),
      },
    },
  };
  return Deno.lint.runPlugin(plugin, path, source)
    .map(({ message }) => {
      const end = message.lastIndexOf("/");
      return new RegExp(message.slice(1, end), message.slice(end + 1));
    });
}

function* sourceFiles(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sourceFiles(join(folder, name));
    else if (name.endsWith(".ts")) yield join(folder, name);
  }
}

Deno.test("an expression that is worse than linear is noticed", () => {
  assertEquals(expressionsIn("a.ts", "'x'.replace(/[. ]+$/, '');").map(String), ["/[. ]+$/"]);
  assert(stumblesOver((text) => text.replace(/[. ]+$/, "")));
});

Deno.test("no expression in src/ is worse than linear", async (t) => {
  let count = 0;
  for (const path of sourceFiles(fromFileUrl(new URL("../../src", import.meta.url)))) {
    for (const expression of new Set(expressionsIn(path, Deno.readTextFileSync(path)))) {
      count++;
      if (BOUNDED.has(String(expression))) continue;
      const slow = stumblesOver((text) => text.replace(expression, ""));
      await t.step(`${path}: ${expression}`, () => assertEquals(slow, undefined));
    }
  }
  assert(count > 60, `${count} expressions: are all found?`);
});

const attempt = (run: () => unknown) => {
  try {
    run();
  } catch {
    // Refused: that is quick as well.
  }
};

/** All that takes text from a server, a manifest or an archive. */
const FUNCTIONS: Record<string, (text: string) => unknown> = {
  isVersion,
  isPlainName,
  isMemberPath,
  isUrl,
  redactUrl,
  visible,
  visibleJson,
  archiveKind,
  refuseArchive: (text) => refuseArchive(`https://example.com/${text}`, "x"),
  checkUrl: (text) => attempt(() => checkUrl(text, false)),
  resolveLocation: (text) => resolveLocation(text, "https://example.com/release.json"),
  readPax: (text) => attempt(() => readPax(new TextEncoder().encode(text))),
  "a name in an archive": (text) =>
    attempt(() =>
      new MemberPolicy("tool", 1).admit({ name: text, shadows: [], type: "a folder", size: 0 })
    ),
  "a member": (text) =>
    attempt(() =>
      new MemberPolicy(text, 1).admit({ name: "tool", shadows: [], type: "a folder", size: 0 })
    ),
};

for (const [name, run] of Object.entries(FUNCTIONS)) {
  Deno.test(`a megabyte is no trouble: ${name}`, () => assertEquals(stumblesOver(run), undefined));
}

Deno.test("a name of 60,000 dots, as long as tar's extended headers let one be, is refused at once", () => {
  const policy = new MemberPolicy("tool", 1);
  const entry = { name: ".".repeat(60_000) + "x", shadows: [], type: "a folder", size: 0 };
  let refused = false;
  try {
    policy.admit(entry);
  } catch (error) {
    refused = error instanceof ArchiveError;
  }
  assert(refused);
});
