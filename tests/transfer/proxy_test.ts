import { startProxy } from "../support/proxy.ts";
import { testBehindProxy } from "../support/behind_proxy.ts";

Deno.test({
  name: "the shim behind a proxy",
  ignore: Deno.build.os !== "linux",
  fn: (t) => testBehindProxy(t, startProxy, /\/release\.json: proxy authentication required/),
});
