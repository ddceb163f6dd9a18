/** From arguments to an exit code, and the only catch-all. */
import { type Command, parseCommand } from "./cli/cli.ts";
import { manPage } from "./cli/man_page.ts";
import { completionScript } from "./cli/completions.ts";
import { usage } from "./cli/usage.ts";
import { fail } from "./output/failure.ts";
import { createReporter } from "./output/reporter.ts";
import { programOf, subjectOf } from "./output/subject.ts";
import { visibleJson } from "./output/text.ts";
import type { System } from "./system/system.ts";
import { VERSION } from "./base/version.ts";

/**
 * Runs one invocation. Returns the exit code of the contract; never throws. The work itself is loaded
 * when there is some: to read 200 KB of program takes as long as to start the runtime.
 */
export async function run(args: readonly string[], system: System): Promise<number> {
  let command: Command;
  try {
    command = parseCommand(args);
  } catch (error) {
    // What follows "--" is the tool's.
    const end = args.indexOf("--");
    const json = args.slice(0, end < 0 ? undefined : end).includes("--json");
    return fail(error, createReporter(system, { json }, subjectOf(system.shimName, "update")));
  }
  const { terminal } = system;
  const program = programOf(system.shimName);
  switch (command.kind) {
    case "help":
      terminal.out(usage(program));
      return 0;
    case "version":
      terminal.out(
        command.json
          ? `${visibleJson({ event: "version", version: VERSION })}\n`
          : `updater-shim ${VERSION}\n`,
      );
      return 0;
    case "completions":
      terminal.out(completionScript(command.shell, program));
      return 0;
    case "man":
      terminal.out(manPage(program));
      return 0;
  }
  const subject = subjectOf(system.shimName, command.kind);
  const report = createReporter(system, command, subject);
  try {
    const { work } = await import("./work.ts");
    return await work(command, args, system, report, subject);
  } catch (error) {
    return fail(error, report);
  }
}
