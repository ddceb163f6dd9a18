/** From arguments to an exit code. */
import { reason, UpdateError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import { filesystemError, isFilesystemError } from "../files/fs_errors.ts";
import { visible } from "../output/text.ts";
import { adviceForAuthor } from "./author_advice.ts";
import { lintRelease } from "./lint.ts";
import { mergeManifests } from "./merge.ts";
import { makeNewKey } from "./new_key.ts";
import { packRelease } from "./pack_release.ts";
import { parsePackCommand } from "./pack_command.ts";
import { packUsage } from "./pack_options.ts";
import type { PackSystem } from "./pack_system.ts";
import { RefusedRelease } from "./refusals.ts";

/** Runs one invocation. Never throws. */
export async function runPack(args: readonly string[], system: PackSystem): Promise<number> {
  const stop = new AbortController();
  system.onStopSignal((signal) => {
    const kind = signal === "SIGINT" ? "interrupted" : "terminated";
    stop.abort(new UpdateError(kind, "Interrupted; nothing was written"));
  });
  try {
    const command = parsePackCommand(args);
    switch (command.kind) {
      case "help":
        system.terminal.out(packUsage());
        return 0;
      case "version":
        system.terminal.out(`updater-shim-pack ${VERSION}\n`);
        return 0;
      case "new-key":
        await makeNewKey(system, command);
        return 0;
      case "pack":
        await packRelease(system, command, stop.signal);
        return 0;
      case "merge":
        await mergeManifests(system, command);
        return 0;
      case "lint":
        await lintRelease(system, command, stop.signal);
        return 0;
    }
  } catch (error) {
    return tell(error, system);
  }
}

function tell(thrown: unknown, system: PackSystem): number {
  if (thrown instanceof RefusedRelease) {
    for (const error of thrown.errors) tellOne(error, system);
    return thrown.errors[0]!.exitCode;
  }
  const error = thrown instanceof UpdateError
    ? thrown
    : isFilesystemError(thrown)
    ? filesystemError(thrown, "use", "a file of the release") as UpdateError
    : new UpdateError("bug", `A fault of updater-shim-pack's own: ${reason(thrown)}`, {
      hint: "Please report it, with the command line and the list of the files.",
      cause: thrown,
    });
  tellOne(error, system);
  return error.exitCode;
}

function tellOne(error: UpdateError, { terminal }: PackSystem): void {
  const { message } = error, hint = adviceForAuthor(error);
  terminal.err(`updater-shim-pack: ${visible(message)}\n${hint ? `  ${visible(hint)}\n` : ""}`);
}
