/** How a new executable is tried; what the configuration says of it. */

/** How a healthy executable is told: it exits 0 within the time. `false`: not asked. */
export type HealthCheck = { readonly args: readonly string[]; readonly timeoutMs: number } | false;

/** The contract's default. */
export const DEFAULT_HEALTH_CHECK: HealthCheck = { args: ["--version"], timeoutMs: 10_000 };
