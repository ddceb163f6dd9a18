/** A receipt for tests that do not look at it. */
import type { Receipt } from "../../src/installation/receipt.ts";

/** Of version 2.0.0, with nothing else in it. */
export const RECEIPT: Receipt = {
  format: 1,
  tool: "updater-shim",
  name: "tool",
  version: "2.0.0",
  release: null,
  files: [],
  dropped: [],
  highest: null,
  rolledBack: null,
  rollback: null,
  madeFolder: false,
  updated: "2026-01-01T00:00:00.000Z",
};
