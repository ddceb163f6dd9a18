#!/usr/bin/env node
// A tool that Node runs; updater-shim lies beside this file.
import process from "node:process";
import { selfUpdate, shimBeside } from "@updater-shim/updater-shim/adopt";

if (process.argv[2] === "self-update") {
  process.exit(
    await selfUpdate({ shim: shimBeside(import.meta.filename), given: process.argv.slice(3) }),
  );
}
console.log("mytool 1.0.0");
