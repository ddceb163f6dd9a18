/** `.github/MESSAGES.md` is made from the code: `deno task messages` writes it. */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { collectMessages, messagesOf } from "../support/messages.ts";

const PATH = fromFileUrl(new URL("../../.github/MESSAGES.md", import.meta.url));

const HEAD = `# Messages

Every message of a failure, with its [exit code](COMMANDS.md#exit-codes), and every warning, after
which the run goes on. "…" stands for what is put in: a name, a path, a reason. This page is made
from the code by \`deno task messages\`, and a test compares them.

<!-- deno-fmt-ignore -->

| code | message |
| --- | --- |
`;

function page(): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "\\<");
  return HEAD + collectMessages().map(({ code, text }) => `| ${code} | ${cell(text)} |\n`).join("");
}

Deno.test("messages are read from the syntax, each branch and each caller's words", () => {
  const found = messagesOf(`
    throw new UpdateError("usage", \`Cannot \${a ? "read" : "write"} "\${path}"\`, {});
    function failed(url: URL, what: string) {
      return new UpdateError("network", \`Cannot fetch \${url}: \${what}\`);
    }
    throw failed(url, "a circle");
    throw failed(url, \`more than \${count} redirects\`);
    report({ event: "warning", message: "Mind the gap" });
  `);
  assertEquals(found.map(({ code, text }) => `${code} ${text}`), [
    '2 Cannot read "…"',
    '2 Cannot write "…"',
    "3 Cannot fetch …: a circle",
    "3 Cannot fetch …: more than … redirects",
    "warning Mind the gap",
  ]);
});

Deno.test("MESSAGES.md has every message of the code with its exit code", () => {
  const made = page();
  assert(made.split("\n").length > 100, "messages are found");
  if (Deno.env.get("WRITE_MESSAGES") === "1") Deno.writeTextFileSync(PATH, made);
  assertEquals(Deno.readTextFileSync(PATH), made, "deno task messages writes it");
});
