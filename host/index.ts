/** The package's one barrel: the host as a library. */
export { openHost } from './open-host.ts'
export type { LocalHost, OpenHostOptions } from './open-host.ts'
export type { LocalDatabase, LocalLogin, SenderOptions } from './local-database.ts'
export type { Arguments, RowsOptions, Sender } from './sender.ts'
export { HostError } from './errors.ts'
export type { ErrorCode } from './errors.ts'
export type { InstanceMode } from './sandbox/instance-mode.ts'
export type { Identity, Login } from './identity.ts'
