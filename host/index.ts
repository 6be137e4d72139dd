/** The package's one barrel: the host as a library. */
export { openHost } from './open-host.ts'
export type { Arguments, LocalDatabase, LocalHost, OpenHostOptions, RowsOptions, Sender, SenderOptions } from './open-host.ts'
export { HostError } from './errors.ts'
export type { ErrorCode } from './errors.ts'
export type { Identity, Login } from './identity.ts'
