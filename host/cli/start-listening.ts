/** startHost with the errors of an operating system in words: a port in use is no bug of ours. */
import { HostError } from '../errors.ts'
import type { HostOptions, RunningHost } from '../host.ts'
import { makeFolder } from './make-folder.ts'

export async function startListening(options: HostOptions): Promise<RunningHost> {
  // Loaded here and not above: most commands need no server.
  const { startHost } = await import('../host.ts')
  makeFolder(options.data, 0o700)
  try {
    return await startHost(options)
  } catch (error) {
    throw isPortTaken(error) ? portTaken(options.port, error) : error
  }
}

export function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

function portTaken(port: number, cause: unknown): HostError {
  return new HostError('ERR_USAGE', `the port ${port} is in use: give another with --port, or 0 for any free one`, { cause })
}
