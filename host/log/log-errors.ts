/** What a driver of the log answers when it cannot do what it was asked. */
import { basename } from 'node:path'

import { HostError } from '../errors.ts'
import { isDiskFull, isFileError } from './log-files.ts'

export function fenced(): HostError {
  return new HostError('ERR_LOG_FENCED', 'the commit log is not held, or somebody else has taken it over: nothing was written')
}

export function unknownOutcome(cause?: unknown): HostError {
  const what = 'the commit log failed, and again when the append was to be undone: the call may or may not have happened'
  return new HostError('ERR_COMMIT_UNKNOWN', what, { cause })
}

/** What the disk did to us; a bug of our own stays what it is. */
export function storageError(error: unknown): unknown {
  if (!isFileError(error)) return error
  const where = error.path === undefined ? '' : ` at ${basename(error.path)}`
  const what = isDiskFull(error) ? 'the disk is full: make room, and the log goes on' : 'check the disk and the data folder'
  return new HostError('ERR_STORAGE', `the commit log could not be used (${error.code}${where}): ${what}`, { cause: error })
}

/** The answer to an append of which nothing happened. */
export function asFailure(error: unknown): HostError {
  const failure = storageError(error)
  return failure instanceof HostError ? failure : new HostError('ERR_STORAGE', 'the commit log could not be written', { cause: error })
}

/** @throws HostError ERR_STORAGE for what a file operation threw. */
export function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storageError(error)
  }
}
