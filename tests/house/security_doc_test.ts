import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const LOOPS: Record<string, readonly [prefix: RegExp, suffix: RegExp]> = {
  "archive/": [/^\.[a-z.]+: /, / is (refused|accepted)$/],
  "fuzz/": [/^fuzz: /, /$/],
  "release/signed_release_": [/^the signature covers the manifest's (?=\w+$)/, /$/],
  "program/other_users_": [/^a state dir that is (?=a)/, / is refused$/],
};

Deno.test("every test that SECURITY.md names exists", () => {
  const text = Deno.readTextFileSync(join(ROOT, "SECURITY.md"));
  const named = [...text.matchAll(/(?:\| |<br>)([a-z_/]+_test\.ts): (.+?)(?=<br>| +\|\n)/g)];
  // A row that the expression does not read would be a promise that nobody checks.
  assertEquals(named.length, [...text.matchAll(/_test\.ts: /g)].length);
  for (const [, file, name] of named) {
    const source = Deno.readTextFileSync(join(ROOT, "tests", file!));
    assertEquals(isTestOf(source, file!, name!), true, `${file} has no test "${name}"`);
  }
});

/** By its whole name, or by the case that a loop makes it of. */
function isTestOf(source: string, file: string, name: string): boolean {
  const quoted = (text: string) =>
    source.includes(`"${text}"`) || new RegExp(`^ {2}${text}: `, "m").test(source);
  if (source.includes(`"${name}"`)) return true;
  const loop = Object.entries(LOOPS).find(([prefix]) => file.startsWith(prefix));
  return loop !== undefined && quoted(name.replace(loop[1][0], "").replace(loop[1][1], ""));
}
