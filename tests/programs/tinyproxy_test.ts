import { testBehindProxy } from "../support/behind_proxy.ts";
import { startTinyproxy } from "./tinyproxy.ts";

// It answers a wrong password with 401, which no proxy should: that is not "authentication required".
Deno.test("tinyproxy: the shim behind it", (t) =>
  testBehindProxy(t, startTinyproxy, /\/release\.json: the proxy does not let us through/));
