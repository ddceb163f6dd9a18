import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { completionScript } from "../../src/cli/completions.ts";
import { OPTIONS, type Shell, SHELLS } from "../../src/cli/options.ts";

/** What a program prints; it must be there, and must not complain. */
async function output(program: string, args: string[], cwd?: string): Promise<string> {
  const command = new Deno.Command(program, { args, ...(cwd !== undefined && { cwd }) });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""], `${program}: ${text}`);
  return text;
}

/** A folder with the script in it, a file and a folder to complete. */
async function withScript(
  shell: Shell,
  step: (path: string, folder: string) => Promise<void>,
  program = "updater-shim",
) {
  const folder = await Deno.makeTempDir({ prefix: "updater-shim-completions-" });
  try {
    const path = join(folder, "script");
    await Deno.writeTextFile(path, completionScript(shell, program));
    await Deno.writeTextFile(join(folder, "a file.json"), "");
    await Deno.mkdir(join(folder, "a folder"));
    await step(path, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("bash completes options, folders, files and shells", async () => {
  /** What bash would offer for these words, the last one unfinished. */
  const offers = async (path: string, folder: string, ...words: string[]) => {
    const script = `source "$1"; shift; COMP_WORDS=(updater-shim "$@"); COMP_CWORD=$#
        _updater_shim; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const text = await output("bash", ["-c", script, "bash", path, ...words], folder);
    return text.split("\n").filter((line) => line !== "").sort();
  };
  await withScript("bash", async (path, folder) => {
    const expected: [string[], string[]][] = [
      [["--re"], ["--relaunch", "--repair"]],
      [["--repair", "--qu"], ["--quiet"]],
      [["--completions", "z"], ["zsh"]],
      // bash splits "--completions=po" in three, "--completions=" in two.
      [["--completions", "=", "po"], ["powershell"]],
      [["--completions", "="], [...SHELLS].sort()],
      [["--install-dir", "a"], ["a folder"]],
      [["--from", "a"], ["a file.json", "a folder"]],
      [["--manifest", "=", "a"], ["a file.json", "a folder"]],
      [["--parent-pid", ""], []],
      [["--nothing-like-it"], []],
    ];
    for (const [words, offered] of expected) {
      assertEquals(await offers(path, folder, ...words), offered, words.join(" "));
    }
    const all = await offers(path, folder, "");
    assertEquals(all, OPTIONS.map(({ name }) => `--${name}`).sort());
  });
});

Deno.test("fish completes options and shells", async () => {
  await withScript("fish", async (path, folder) => {
    const ask = async (line: string) =>
      (await output("fish", ["-N", "-c", `source ${path}; complete -C '${line}'`], folder))
        .trim().split("\n").map((offer) => offer.split("\t")[0]);
    const offered = await ask("updater-shim --re");
    assertEquals(offered, ["--relaunch", "--repair"]);
    assertEquals(await ask("updater-shim --completions p"), ["powershell"]);
    assertEquals(await ask("updater-shim --from=a\\ fi"), ["--from=a file.json"]);
  });
});

Deno.test("zsh understands its script", async () => {
  await withScript("zsh", async (path) => void await output("zsh", ["-n", path]));
});

Deno.test({
  name: "PowerShell completes options (left out where there is none: Debian has no package of it)",
  ignore: !hasPowerShell(),
  fn: () =>
    withScript("powershell", async (path) => {
      const script = `. ([scriptblock]::Create((Get-Content -Raw '${path}')));
        $line = 'updater-shim --re'
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText`;
      const text = await output("pwsh", ["-NoProfile", "-NonInteractive", "-Command", script]);
      assertEquals(text.trim().split(/\r?\n/), ["--relaunch", "--repair"]);
    }),
});

function hasPowerShell(): boolean {
  try {
    return new Deno.Command("pwsh", { args: ["-Version"] }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test("bash completes a shim of another name", async () => {
  await withScript("bash", async (path) => {
    // Functions of the user's are none of ours.
    const script = `add() { echo mine; }; source "$1"; complete -p 'uv-updater'
      COMP_WORDS=(uv-updater --rep); COMP_CWORD=1; _uv_updater; printf '%s\\n' "\${COMPREPLY[@]}"; add`;
    const text = await output("bash", ["-c", script, "bash", path]);
    assertEquals(text, "complete -F _uv_updater uv-updater\n--repair\nmine\n");
  }, "uv-updater");
});
