/** `.github/ON-DISK.md` is held to the code: names, phases and fields, in both directions. */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import {
  IN_STATE,
  IN_TOOL,
  isHiddenName,
  namesBeside,
  stagedBeside,
  STATE_DIR,
} from "../../src/installation/names.ts";
import { ReceiptSchema } from "../../src/installation/receipt.ts";
import { DECISIONS } from "../../src/transaction/decision.ts";
import { FileSchema, RecordSchema } from "../../src/transaction/journal.ts";

const PAGE = Deno.readTextFileSync(
  fromFileUrl(new URL("../../.github/ON-DISK.md", import.meta.url)),
);

/** The text under a heading. */
function section(heading: string): string {
  const [, text] = PAGE.split(`\n## ${heading}\n`);
  assert(text !== undefined, `there is no section "${heading}"`);
  return text!.split("\n## ")[0]!;
}

/** What stands in backticks in the first column of a table. */
function firstColumn(text: string): string[] {
  return text.split("\n").filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...line.split(" | ")[0]!.matchAll(/`([^`]+)`/g)])
    .map(([, name]) => name!);
}

Deno.test("ON-DISK names everything in the state dir, and nothing else", () => {
  const tree = section("A folder that two tools share");
  const at = (depth: string) =>
    [...tree.matchAll(new RegExp(`^${depth}[├└]── (\\S+)`, "gm"))].map(([, name]) =>
      name!.replace(/\/$/, "")
    );
  const inState = at("    ").filter((name) => !name.endsWith("-updater"));
  assertEquals(inState.sort(), Object.values(IN_STATE).toSorted());
  assertEquals(at("    │   ").sort(), Object.values(IN_TOOL).toSorted());
  assert(tree.includes(`── ${STATE_DIR}/`));
});

Deno.test("ON-DISK names what lies beside the executables, and the code knows it again", () => {
  const transaction = "0123456789abcdef";
  const made = [
    ...Object.values(namesBeside(join("/bin", "tool"), transaction)),
    stagedBeside(join("/bin", "tool"), "alpha", transaction) + "/",
  ].map((path) => path.slice("/bin/".length));
  const told = firstColumn(section("Names beside the executables")).map((name) =>
    name.replace("<target>", "tool").replace("<tool id>", "alpha")
      .replace("<transaction>", transaction)
  );
  assertEquals(told.toSorted(), made.toSorted());
  for (const name of made.filter((name) => name.startsWith("."))) {
    assert(isHiddenName(name.replace(/\/$/, "")), name);
  }
  assert(!isHiddenName(".bashrc") && !isHiddenName("tool.previous"));
});

Deno.test("ON-DISK names the phases and fields of the journal", () => {
  const [phases, fields] = section("The journal").split(/\| field\s+\|/);
  assertEquals(firstColumn(phases!), [...new Set(DECISIONS.map(([phase]) => phase))]);
  assertEquals(firstColumn(fields!), Object.keys(RecordSchema.entries));
  const files = fields!.split("\n").find((line) => line.startsWith("| `files`"))!;
  const named = [...files.split(/\s\|\s/)[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  assertEquals(named, Object.keys(FileSchema.entries));
});

Deno.test("ON-DISK names the fields of the receipt", () => {
  assertEquals(firstColumn(section("The receipt")), Object.keys(ReceiptSchema.entries));
});
