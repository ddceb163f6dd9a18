/** A real HTTP proxy with a password, proxy-chain from npm, on loopback. */
import { Server } from "proxy-chain";
import type { Proxy } from "./behind_proxy.ts";

/** Starts a proxy that wants these credentials. */
export async function startProxy(user: string, password: string): Promise<Proxy> {
  const asked: string[] = [];
  const server = new Server({
    host: "127.0.0.1",
    port: 0,
    prepareRequestFunction({ request, username, password: given }) {
      asked.push(`${request.method} ${request.url}`);
      return { requestAuthentication: username !== user || given !== password };
    },
  });
  await server.listen();
  return {
    address: `127.0.0.1:${server.port}`,
    requests: () => [...asked],
    [Symbol.asyncDispose]: () => server.close(true),
  };
}
